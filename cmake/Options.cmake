# Build options and the compiler flags that follow from them.
set(HG_SANITIZE "" CACHE STRING "Sanitizers for gcc or clang: address,undefined or thread")
option(HG_BUILD_TESTS "Build unit tests" OFF)
option(HG_BUILD_FUZZERS "Build libFuzzer targets (clang)" OFF)
option(HG_WERROR "Treat warnings as errors" ON)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                    -Wvla -Wformat=2 -fno-strict-aliasing)
add_compile_definitions(_GNU_SOURCE HG_VERSION="${PROJECT_VERSION}")
if(HG_WERROR)
    add_compile_options(-Werror)
endif()

# Places where tests make the program die; see core/crash_point.h.
if(HG_BUILD_TESTS)
    add_compile_definitions(HG_CRASH_POINTS=1)
endif()

if(HG_SANITIZE)
    add_compile_options(-fsanitize=${HG_SANITIZE} -fno-omit-frame-pointer -g -O1)
    add_link_options(-fsanitize=${HG_SANITIZE})
    if(HG_SANITIZE MATCHES "undefined")
        add_compile_options(-fno-sanitize-recover=undefined)
    endif()
    # Each arena allocation becomes a malloc of its own, or AddressSanitizer sees nothing.
    add_compile_definitions(HG_ARENA_MALLOC=1)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE)
    add_link_options(-pie -Wl,-z,relro,-z,now)
endif()

# Coverage feedback from all of the code, not only from the targets' own files.
if(HG_BUILD_FUZZERS)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

find_program(HG_CCACHE ccache)
if(HG_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${HG_CCACHE})
endif()
