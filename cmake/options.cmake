# Warnings, sanitizers, compiler cache and linker: one interface target that every target of ours links.

find_program(PGWEIR_CCACHE ccache)
if(PGWEIR_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${PGWEIR_CCACHE}")
endif()

add_library(pgweir_options INTERFACE)
target_compile_options(pgweir_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 sees uninitialised and overlapping memory inside std::string and std::optional where there is none.
  target_compile_options(pgweir_options INTERFACE -Wno-maybe-uninitialized -Wno-restrict)
endif()
target_include_directories(pgweir_options INTERFACE "${PROJECT_SOURCE_DIR}")

if(PGWEIR_SANITIZE)
  target_compile_options(pgweir_options INTERFACE -fsanitize=${PGWEIR_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(pgweir_options INTERFACE -fsanitize=${PGWEIR_SANITIZE})
  if(PGWEIR_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(pgweir_options INTERFACE -Wno-tsan)   # Asio's fences: known and harmless
  endif()
endif()

find_program(PGWEIR_MOLD mold)
if(PGWEIR_MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_link_options(pgweir_options INTERFACE -fuse-ld=mold)
endif()

# pgweir_hot(a.cpp …): sources of the path of every message. The release build optimises them across files when it links
# the program; the tests link the ordinary code beside it, so they do not wait for that.
function(pgweir_hot)
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT PGWEIR_SANITIZE)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS "-flto=auto;-ffat-lto-objects")
  endif()
endfunction()

# pgweir_library(NAME SOURCES a.cpp … HEADERS a.hpp … LINK libs …): one library, its headers each compiled alone by
# the target all_verify_interface_header_sets.
function(pgweir_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;HEADERS;LINK" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_sources(${name} INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${arg_HEADERS})
  set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(${name} PUBLIC ${arg_LINK} pgweir_options)
endfunction()
