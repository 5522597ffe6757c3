/** The ostinato command. */
module dev.ostinato.cli {
    requires dev.ostinato.formats;
    requires dev.ostinato.onnx;
    requires info.picocli;
    requires java.desktop;
    requires jdk.management;
    requires me.tongfei.progressbar;
    requires HdrHistogram;
    requires xchart;
    requires tools.jackson.databind;
    requires static org.jspecify;

    opens dev.ostinato.cli to info.picocli;
}
