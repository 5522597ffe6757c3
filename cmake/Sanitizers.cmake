# ostinato_sanitize(<target>): compiles and links with the sanitizers in OSTINATO_SANITIZE, such as "address,undefined".

set(OSTINATO_SANITIZE "" CACHE STRING "Sanitizers, separated by commas: address, undefined, thread, leak")

function(ostinato_sanitize target)
  if(OSTINATO_SANITIZE)
    # -O1: everything is inlined into the kernels, and with each access checked at -O3 a file takes minutes to compile.
    target_compile_options(${target} PRIVATE -O1
      -fsanitize=${OSTINATO_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
    target_link_options(${target} PRIVATE -fsanitize=${OSTINATO_SANITIZE})
  endif()
endfunction()
