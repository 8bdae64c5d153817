// What simdjson alone needs for a JSONL file: one DOM document a line, every value of it touched, nothing else is done.
//
//     bare_jsonl FILE
#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("bare_jsonl FILE\n", stderr), 64;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(argv[1], "rb"), std::fclose);
    if (!file) return std::perror(argv[1]), 65;
    constexpr std::size_t block = 1u << 20;
    std::vector<char> bytes(2 * block + simdjson::SIMDJSON_PADDING);
    std::size_t kept = 0;
    std::uint64_t rows = 0, sum = 0;
    simdjson::dom::parser parser;
    for (;;) {
        const std::size_t got = std::fread(bytes.data() + kept, 1, block, file.get());
        if (got == 0) break;
        const char* at = bytes.data();
        const char* const end = at + kept + got;
        while (const auto* line_end =
                   static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) {
            const simdjson::dom::object fields =
                parser.parse(at, static_cast<std::size_t>(line_end - at), false).get_object();
            for (const auto [key, value] : fields)
                sum += std::string_view(value).size();
            ++rows;
            at = line_end + 1;
        }
        kept = static_cast<std::size_t>(end - at);
        std::memmove(bytes.data(), at, kept);
    }
    std::printf("%llu rows, %llu\n", static_cast<unsigned long long>(rows), static_cast<unsigned long long>(sum));
}
