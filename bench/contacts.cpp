// Writes a contact file for the benchmarks: the same seed, rows and groups give the same bytes.
//
//     contacts ROWS GROUPS csv|jsonl FILE [SEED]
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

// Stafford's mix: every number gives another one, so contact ids never repeat.
std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

template <std::size_t N>
std::string_view one_of(const std::array<std::string_view, N>& words, std::uint64_t n) {
    return words[n % N];
}

constexpr std::array<std::string_view, 8> first_names{"Maria", "James", "Chen",   "Aisha",
                                                      "Olga",  "Tomás", "Ingrid", "Kwame"};
constexpr std::array<std::string_view, 8> last_names{"Silva",  "Novak", "O'Brien", "Li",
                                                     "Haddad", "Berg",  "Osei",    "Kim"};
// One in ten needs quotes in CSV. None has a line break: the bare CSV loop could not read it.
constexpr std::array<std::string_view, 10> companies{"Northwind Traders",
                                                     "Initech",
                                                     "Blue Yonder Airlines",
                                                     "Contoso Pharma",
                                                     "Fabrikam",
                                                     "Adventure Works Ltd.",
                                                     "Tailspin \"Toys\", Inc.",
                                                     "Wingtip",
                                                     "Litware",
                                                     "Proseware"};
constexpr std::array<std::string_view, 4> types{"call", "outreach_manual_email", "linkedin_step_message",
                                                "action_item"};
constexpr std::array<std::string_view, 3> priorities{"high", "medium", "low"};

struct details {
    std::string user_id, due_at, note;
    std::string_view type, priority;
};

details details_of(std::uint64_t group, std::uint64_t seed) {
    const std::uint64_t n = mixed(seed + group * 977 + 1);
    details d;
    d.user_id = fmt::format("66302798{:016x}", mixed(seed + n % 25));
    d.due_at =
        fmt::format("2027-{:02}-{:02}T{:02}:00:00-05:00", 1 + n / 64 % 12, 1 + n / 1024 % 28, 8 + n / 32768 % 10);
    d.type = one_of(types, n / 7);
    d.priority = one_of(priorities, n / 11);
    d.note = fmt::format("Spring renewal wave {}: call about the offer of last year", group + 1);
    return d;
}

struct row {
    std::string contact_id, name;
    std::string_view company;
};

void append_cell(std::string& out, std::string_view text) {
    if (text.find_first_of(",\"") == std::string_view::npos) {
        out += text;
        return;
    }
    out += '"';
    for (const char c : text) {
        if (c == '"') out += '"';
        out += c;
    }
    out += '"';
}

void append_csv(std::string& out, const row& r, const details& d) {
    out += r.contact_id;
    out += ',';
    append_cell(out, r.name);
    out += ',';
    append_cell(out, r.company);
    fmt::format_to(std::back_inserter(out), ",{},{},{},scheduled,{},", d.user_id, d.type, d.priority, d.due_at);
    append_cell(out, d.note);
    out += '\n';
}

void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

void append_jsonl(std::string& out, const row& r, const details& d) {
    out += R"({"contact_id":")" + r.contact_id + R"(","name":)";
    append_json_text(out, r.name);
    out += R"(,"company":)";
    append_json_text(out, r.company);
    fmt::format_to(std::back_inserter(out),
                   R"(,"user_id":"{}","type":"{}","priority":"{}","status":"scheduled","due_at":"{}","note":)",
                   d.user_id, d.type, d.priority, d.due_at);
    append_json_text(out, d.note);
    out += "}\n";
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) return std::fputs("contacts ROWS GROUPS csv|jsonl FILE [SEED]\n", stderr), 64;
    const std::uint64_t rows = std::strtoull(argv[1], nullptr, 10), groups = std::strtoull(argv[2], nullptr, 10);
    const std::uint64_t seed = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 7;
    const bool csv = std::string_view(argv[3]) == "csv";
    if (groups == 0) return 64;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(argv[4], "wb"), std::fclose);
    if (!file) return std::perror(argv[4]), 65;

    std::vector<details> all;
    for (std::uint64_t g = 0; g < groups; ++g)
        all.push_back(details_of(g, seed));
    std::string out;
    if (csv) out = "contact_id,name,company,user_id,type,priority,status,due_at,note\n";
    row r;
    for (std::uint64_t i = 0; i < rows; ++i) {
        const std::uint64_t n = mixed(seed * 0x9e3779b97f4a7c15u + i);
        r.contact_id = fmt::format("5f{:06x}{:016x}", seed & 0xffffff, n);
        r.name = fmt::format("{} {}", one_of(first_names, n), one_of(last_names, n >> 8));
        r.company = one_of(companies, n >> 16);
        // The first rows name each group once, so that a file has exactly as many as were asked for.
        const details& d = all[i < groups ? i : (n >> 24) % groups];
        csv ? append_csv(out, r, d) : append_jsonl(out, r, d);
        if (out.size() < (1u << 20) && i + 1 < rows) continue;
        if (std::fwrite(out.data(), 1, out.size(), file.get()) != out.size()) return std::perror(argv[4]), 65;
        out.clear();
    }
    return 0;
}
