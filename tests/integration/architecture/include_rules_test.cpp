// Reads the #include lines of the project against the module table of docs/architecture.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

using uses_of = std::map<std::string, std::set<std::string>>;

std::vector<std::string> cells_of(const std::string& line) {
    static const std::regex between(R"(\s*\|\s*)");
    std::vector<std::string> cells(std::sregex_token_iterator(line.begin(), line.end(), between, -1), {});
    if (!cells.empty() && cells.front().empty()) cells.erase(cells.begin());
    return cells;
}

// What each module, or room, may use besides itself, as the table of the page says that begins with "| kind |".
// "all above" are the rows before, "all" every row.
uses_of table_of_the_page(const std::string& kind) {
    std::ifstream in(fs::path(TASKBARGE_SOURCE_DIR) / "docs" / "architecture.md");
    uses_of table;
    std::string text;
    while (std::getline(in, text) && !text.starts_with("| " + kind + " |")) {
    }
    std::getline(in, text);  // the line below the titles
    std::set<std::string> above, use_all;
    while (std::getline(in, text) && text.starts_with("| `")) {
        const auto cells = cells_of(text);
        const std::string name = cells.at(0).substr(1, cells.at(0).size() - 2);
        const std::string uses = cells.size() > 2 ? cells[2] : "";
        auto& row = table[name];
        if (uses == "all") use_all.insert(name);
        if (uses == "all above") {
            row = above;
        } else {
            static const std::regex comma(", *");
            for (std::sregex_token_iterator use(uses.begin(), uses.end(), comma, -1), end; use != end; ++use)
                if (use->length() != 0) row.insert(*use);
        }
        above.insert(name);
    }
    for (const auto& name : use_all)
        table[name] = above;
    return table;
}

const uses_of& allowed_uses() {
    static const auto table = table_of_the_page("module");
    return table;
}

// The rooms of `job`: folders below src/job.
const uses_of& rooms_of_job() {
    static const auto table = table_of_the_page("room of `job`");
    return table;
}

// The rooms of `service`: folders below src/service, and the files that lie beside them.
const uses_of& rooms_of_service() {
    static const auto table = [] {
        auto rooms = table_of_the_page("room");
        // What uses all rooms uses all that its module may.
        std::set<std::string> names;
        for (const auto& [name, uses] : rooms)
            names.insert(name);
        for (auto& [name, uses] : rooms)
            if (uses == names) uses.insert(allowed_uses().at("service").begin(), allowed_uses().at("service").end());
        return rooms;
    }();
    return table;
}

// Modules whose headers stay free of Asio and Beast: quick to build, easy to fuzz.
const std::set<std::string> without_asio_in_headers{"core", "reader", "grouper", "ledger"};

struct include_line {
    std::string module;  // of the file in which it stands
    std::string room;    // of service and job: a folder, or the name of a file that lies beside them; else empty
    std::string file;    // relative to the repository
    int line = 0;
    bool public_header = false;  // the file stands under include/
    bool header = false;
    std::string target;  // as written, without quotes or brackets
    std::string where() const { return file + ":" + std::to_string(line) + ": #include " + target; }
};

std::vector<include_line> includes_of(const fs::path& path, include_line prototype) {
    static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^">]+)[">])");
    std::vector<include_line> found;
    std::ifstream in(path);
    std::string text;
    for (prototype.line = 1; std::getline(in, text); ++prototype.line) {
        std::smatch match;
        if (!std::regex_search(text, match, pattern)) continue;
        prototype.target = match[1];
        found.push_back(prototype);
    }
    return found;
}

bool is_source(const fs::path& path) {
    return path.extension() == ".hpp" || path.extension() == ".cpp" || path.extension() == ".h";
}

std::vector<include_line> includes_below(const fs::path& root, bool public_headers) {
    std::vector<include_line> found;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        if (!entry.is_regular_file() || !is_source(entry.path())) continue;
        const auto inside = fs::relative(entry.path(), root);
        include_line prototype;
        prototype.module = inside.begin()->string();
        if (!public_headers && (prototype.module == "service" || prototype.module == "job"))
            prototype.room = std::next(inside.begin())->string();
        prototype.file = fs::relative(entry.path(), TASKBARGE_SOURCE_DIR).string();
        prototype.public_header = public_headers;
        prototype.header = entry.path().extension() != ".cpp";
        const auto more = includes_of(entry.path(), prototype);
        found.insert(found.end(), more.begin(), more.end());
    }
    return found;
}

const std::vector<include_line>& all_includes() {
    static const auto all = [] {
        const fs::path root = TASKBARGE_SOURCE_DIR;
        auto found = includes_below(root / "include" / "taskbarge", true);
        const auto sources = includes_below(root / "src", false);
        found.insert(found.end(), sources.begin(), sources.end());
        return found;
    }();
    return all;
}

bool is_folder(const std::string& room) {
    return !room.empty() && room.find('.') == std::string::npos;
}

bool starts_with(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

// The module that an include names, and whether by its public door (taskbarge/<module>/...) or by a private header.
struct used_module {
    std::string name;
    bool by_public_header = false;
};
std::optional<used_module> module_used_by(const include_line& line) {
    const std::string door = "taskbarge/";
    const bool by_door = starts_with(line.target, door);
    const std::string rest = by_door ? line.target.substr(door.size()) : line.target;
    const std::string name = rest.substr(0, rest.find('/'));
    if (!by_door && (name == rest || !allowed_uses().contains(name))) return std::nullopt;
    return used_module{name, by_door};
}

template <class Predicate>
std::vector<std::string> includes_that(Predicate breaks_the_rule) {
    std::vector<std::string> found;
    for (const auto& line : all_includes())
        if (breaks_the_rule(line)) found.push_back(line.where());
    return found;
}

TEST(Architecture, EveryFolderIsAModuleOfTheTable) {
    std::set<std::string> unknown;
    for (const auto& line : all_includes())
        if (!allowed_uses().contains(line.module)) unknown.insert(line.module);
    EXPECT_THAT(unknown, testing::IsEmpty());
    EXPECT_GT(all_includes().size(), 100u) << "the sources were not found";
}

TEST(Architecture, ModulesUseOnlyWhatTheTableAllows) {
    EXPECT_THAT(includes_that([](const include_line& line) {
                    const auto used = module_used_by(line);
                    if (!used || used->name == line.module) return false;
                    const auto allowed = allowed_uses().find(line.module);
                    return allowed == allowed_uses().end() || !allowed->second.contains(used->name);
                }),
                testing::IsEmpty());
}

TEST(Architecture, PrivateHeadersAreUsedByTheirOwnModuleOnly) {
    EXPECT_THAT(includes_that([](const include_line& line) {
                    const auto used = module_used_by(line);
                    return used && !used->by_public_header && used->name != line.module;
                }),
                testing::IsEmpty());
}

TEST(Architecture, PublicHeadersIncludeNoPrivateOnes) {
    EXPECT_THAT(includes_that([](const include_line& line) {
                    if (!line.public_header) return false;
                    const auto used = module_used_by(line);
                    const bool beside = line.target.find('/') == std::string::npos && line.target.ends_with(".hpp");
                    return beside || (used && !used->by_public_header);
                }),
                testing::IsEmpty());
}

TEST(Architecture, AsioAndBeastStayOutOfTheHeadersOfCoreReaderGrouperAndLedger) {
    EXPECT_THAT(includes_that([](const include_line& line) {
                    return line.header && without_asio_in_headers.contains(line.module) &&
                           (starts_with(line.target, "boost/asio") || starts_with(line.target, "boost/beast"));
                }),
                testing::IsEmpty());
}

TEST(Architecture, SqlStaysInsideTheLedger) {
    EXPECT_THAT(includes_that([](const include_line& line) {
                    return line.target == "sqlite3.h" && (line.module != "ledger" || line.public_header);
                }),
                testing::IsEmpty());
}

TEST(Architecture, EveryFolderOfTheServiceIsARoomOfTheTable) {
    std::set<std::string> unknown;
    for (const auto& line : all_includes())
        if (line.module == "service" && is_folder(line.room) && !rooms_of_service().contains(line.room))
            unknown.insert(line.room);
    EXPECT_THAT(unknown, testing::IsEmpty());
    EXPECT_THAT(rooms_of_service(), testing::SizeIs(testing::Ge(7u))) << "the table was not found";
}

TEST(Architecture, EveryFolderOfTheJobModuleIsARoomOfTheTable) {
    std::set<std::string> unknown;
    for (const auto& line : all_includes())
        if (line.module == "job" && is_folder(line.room) && !rooms_of_job().contains(line.room))
            unknown.insert(line.room);
    EXPECT_THAT(unknown, testing::IsEmpty());
    EXPECT_THAT(rooms_of_job(), testing::SizeIs(5u)) << "the table was not found";
}

// Includes of a room that name another one which the table does not allow it.
std::vector<std::string> against_the_table(const std::string& module, const uses_of& rooms) {
    return includes_that([&](const include_line& line) {
        const auto used = module_used_by(line);
        const auto allowed = rooms.find(line.room);
        if (!used || line.module != module || allowed == rooms.end()) return false;
        const bool inside = used->name == module && !used->by_public_header;
        const std::string name = inside ? *std::next(fs::path(line.target).begin()) : fs::path(used->name);
        const bool beside_the_rooms = inside && !is_folder(name) && !is_folder(line.room);
        return name != line.room && name != module && !beside_the_rooms && !allowed->second.contains(name);
    });
}

TEST(Architecture, RoomsOfTheServiceUseOnlyWhatTheTableAllows) {
    EXPECT_THAT(against_the_table("service", rooms_of_service()), testing::IsEmpty());
}

// Which other modules a room of job uses is not limited: all of them are below it.
TEST(Architecture, RoomsOfTheJobModuleUseOnlyWhatTheTableAllows) {
    auto rooms = rooms_of_job();
    for (auto& [name, uses] : rooms)
        uses.insert(allowed_uses().at("job").begin(), allowed_uses().at("job").end());
    EXPECT_THAT(against_the_table("job", rooms), testing::IsEmpty());
}

}  // namespace
