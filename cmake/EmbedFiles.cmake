# cmake -DOUT=<file.cpp> -DFILES=<name=path;...> -P EmbedFiles.cmake
# Writes the files as constants, as src/service/web/embedded.hpp declares them.
set(arrays "")
set(table "")
set(number 0)
foreach(entry IN LISTS FILES)
  string(FIND "${entry}" "=" at)
  string(SUBSTRING "${entry}" 0 ${at} name)
  math(EXPR at "${at} + 1")
  string(SUBSTRING "${entry}" ${at} -1 path)
  file(READ "${path}" bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  string(APPEND arrays "constexpr unsigned char file_${number}[] = {${bytes}0};\n")
  string(APPEND table "    {\"${name}\", {reinterpret_cast<const char*>(file_${number}), sizeof file_${number} - 1}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUT}" "// Made by cmake/EmbedFiles.cmake.
#include \"service/web/embedded.hpp\"

namespace taskbarge::service::web {
namespace {
${arrays}}  // namespace

const embedded_file embedded_table[] = {
${table}};

std::span<const embedded_file> embedded_files() {
    return embedded_table;
}

}  // namespace taskbarge::service::web
")
