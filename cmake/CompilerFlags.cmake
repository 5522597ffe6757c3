# ostinato_flags(<target>): what all C++ here is compiled with.

function(ostinato_flags target)
  target_compile_features(${target} PRIVATE cxx_std_20)
  set_target_properties(${target} PROPERTIES
    CXX_EXTENSIONS OFF
    CXX_VISIBILITY_PRESET hidden
    POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    -O3
    # One arithmetic: a product and a sum are two roundings unless the source says fma. GCC fuses even intrinsics otherwise.
    -ffp-contract=off
    -fno-math-errno
    -fno-exceptions
    -fno-rtti
    -Wall -Wextra -Wshadow -Wno-unknown-pragmas)
  if(OSTINATO_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()

# ostinato_isa_flags(<source> <flag>...): the instructions that one source may use. Everything else is for any x86-64.
function(ostinato_isa_flags source)
  set(flags ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 sees unset operands inside its own AVX-512 intrinsics.
    list(APPEND flags -Wno-uninitialized -Wno-maybe-uninitialized)
  endif()
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${flags}")
endfunction()
