package dev.ostinato.openblas;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import java.util.Optional;

/** The functions, different in every library, that set the number of threads and tell what the library is. */
final class ThreadControl {
    private static final int VERSION_LENGTH = 256;

    private ThreadControl() {
    }

    /** Sets the threads of a call, for the whole process, and returns the library's own description with their number. */
    static String set(NativeLibrary library, int threads) {
        Optional<Function> openBlas = JnaLibraries.function(library, "openblas_set_num_threads");
        if (openBlas.isPresent()) {
            openBlas.get().invokeVoid(new Object[] {threads});
            if (threads == 1) {
                // The threads that it starts when it is loaded, as before a fork; should somebody ask for more than one, it starts them anew.
                JnaLibraries.function(library, "blas_thread_shutdown_").ifPresent(f -> f.invokeInt(new Object[0]));
            }
            return library.getFunction("openblas_get_config").invokeString(new Object[0], false) + ", "
                    + count(library.getFunction("openblas_get_num_threads").invokeInt(new Object[0]));
        }
        Optional<Function> mkl = JnaLibraries.function(library, "MKL_Set_Num_Threads");
        if (mkl.isPresent()) {
            mkl.get().invokeVoid(new Object[] {threads});
            return mklVersion(library) + ", "
                    + count(library.getFunction("MKL_Get_Max_Threads").invokeInt(new Object[0]));
        }
        Optional<Function> blis = JnaLibraries.function(library, "bli_thread_set_num_threads");
        if (blis.isPresent()) {
            blis.get().invokeVoid(new Object[] {(long) threads});
            return "BLIS " + library.getFunction("bli_info_get_version_str").invokeString(new Object[0], false) + ", "
                    + count(library.getFunction("bli_thread_get_num_threads").invokeLong(new Object[0]));
        }
        return library.getFile() + ", threads not under control";
    }

    private static String mklVersion(NativeLibrary library) {
        try (Memory text = new Memory(VERSION_LENGTH)) {
            text.clear();
            library.getFunction("MKL_Get_Version_String").invokeVoid(new Object[] {text, VERSION_LENGTH});
            return text.getString(0).strip();
        }
    }

    private static String count(long threads) {
        return threads == 1 ? "1 thread" : threads + " threads";
    }
}
