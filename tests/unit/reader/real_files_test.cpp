// Small files as people have them, good and bad, and what each yields.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "reader/fields.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using namespace testing;

struct real_file {
    std::string title;
    std::string name;
    std::string bytes;
    std::string yields;  // reading_outcome::summary(), or "failure: " and a part of its text
    void (*settings)(source_options&) = nullptr;
    std::string first_note = {};  // of the first row; empty: not looked at
};

void usual_defaults(source_options& o) {
    o.defaults.user_id = owner_id;
    o.defaults.type = "call";
    o.defaults.status = "scheduled";
    o.defaults.due_at = "2025-02-15T10:00:00Z";
}

void new_york(source_options& o) {
    usual_defaults(o);
    o.dates.timezone = "America/New_York";
    o.dates.time = "09:00";
    o.dates.formats = {"%m/%d/%Y %H:%M"};
    o.now = *core::parse_rfc3339("2025-02-10T12:00:00Z");
}

void owners(source_options& o) {
    usual_defaults(o);
    o.defaults.user_id.clear();
    o.owners = []() -> core::result<std::vector<team_user>> {
        return std::vector<team_user>{{std::string(owner_id), "jane@example.com", "Jane Doe"}};
    };
}

// The usual header and these lines.
std::string csv(const std::string& lines) {
    return std::string(header) + lines;
}

// A row of the usual header with one cell changed.
std::string with(std::string_view column, const std::string& cell) {
    const std::vector<std::pair<std::string, std::string>> cells{
        {"contact_id", contact(1)}, {"user_id", std::string(owner_id)}, {"type", "call"}, {"priority", "high"},
        {"status", "scheduled"},    {"due_at", "2025-02-15T10:00:00Z"}, {"note", "hello"}};
    std::string out;
    for (const auto& [name, usual] : cells)
        out += (name == column ? cell : usual) + (name == "note" ? "\n" : ",");
    return out;
}

// A file of one contact column and one other.
std::string pair_of(const std::string& column, const std::string& cell) {
    return "contact_id," + column + "\n" + contact(1) + "," + cell + "\n";
}

std::string json(const std::string& members) {
    return R"({"contact_id":")" + contact(1) + R"(")" + (members.empty() ? "" : "," + members) + "}\n";
}

std::string utf16(std::string_view ascii, bool big_endian, bool with_mark) {
    std::string out;
    const auto put = [&](unsigned char high, unsigned char low) {
        out += static_cast<char>(big_endian ? high : low);
        out += static_cast<char>(big_endian ? low : high);
    };
    if (with_mark) put(0xFE, 0xFF);
    for (const char c : ascii)
        put(0, static_cast<unsigned char>(c));
    return out;
}

std::string repeated(const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i)
        out += text;
    return out;
}

std::vector<real_file> line_and_delimiter_files() {
    using namespace std::string_literals;
    const std::string r1 = record(1), r2 = record(2);
    std::string tabs = csv(r1 + "\n");
    for (char& c : tabs)
        if (c == ',') c = '\t';
    return {
        {"plain", "a.csv", csv(r1 + "\n" + r2 + "\n"), "row row"},
        {"no line end at the end", "a.csv", csv(r1 + "\n" + r2), "row row"},
        {"CRLF", "a.csv", "contact_id\r\n" + contact(1) + "\r\n" + contact(2) + "\r\n", "row row", usual_defaults},
        {"lone CR of an old Mac", "a.csv", "contact_id\r" + contact(1) + "\r" + contact(2) + "\r", "row row",
         usual_defaults},
        {"line ends mixed", "a.csv", "contact_id\r\n" + contact(1) + "\n" + contact(2) + "\r" + contact(3),
         "row row row", usual_defaults},
        {"byte order mark", "a.csv", "\xEF\xBB\xBF" + csv(r1), "row"},
        {"byte order mark and quoted header", "a.csv", "\xEF\xBB\xBF\"contact_id\"\n" + contact(1), "row",
         usual_defaults},
        {"blank lines", "a.csv", "\n\n" + csv("\n" + r1 + "\n\n  \n\t\n" + r2 + "\n\n\n"), "row row"},
        {"header only", "a.csv", std::string(header), ""},
        {"header without line end", "a.csv", "contact_id", "", usual_defaults},
        {"empty", "a.csv", "", "failure: is empty"},
        {"blank lines only", "a.csv", "\n \r\n\n", "failure: is empty"},
        {"byte order mark only", "a.csv", "\xEF\xBB\xBF", "failure: is empty"},
        {"tabs", "a.tsv", tabs, "row"},
        {"tabs in a .csv", "a.csv", tabs, "row"},
        {"tabs in a .txt", "a.txt", tabs, "row"},
        {"semicolons of a European spreadsheet", "a.csv", "contact_id;note\n" + contact(1) + ";\"a; b, c\"\n", "row",
         usual_defaults, "a; b, c"},
        {"pipes", "a.csv", "contact_id|note\n" + contact(1) + "|a, b; c\n", "row", usual_defaults, "a, b; c"},
        {"delimiter named on the first line", "a.csv", "sep=;\r\ncontact_id;note\r\n" + contact(1) + ";a,b\r\n", "row",
         usual_defaults, "a,b"},
        {"delimiter set", "a.csv", "contact_id;\"x,note,type\"\n" + contact(1) + ";y\n", "row",
         [](source_options& o) {
             usual_defaults(o);
             o.import.delimiter = ";";
         }},
        {"delimiter set to tab by its name", "a.csv", "contact_id\tnote\n" + contact(1) + "\ta,b\n", "row",
         [](source_options& o) {
             usual_defaults(o);
             o.import.delimiter = "tab";
         },
         "a,b"},
        {"delimiter set to none that there is", "a.csv", csv(r1), "failure: import.delimiter",
         [](source_options& o) { o.import.delimiter = ":"; }},
        {"trailing delimiter in rows", "a.csv", csv(r1 + ",\n" + r2 + ", \n"), "row row"},
        {"trailing delimiter in the header, too", "a.csv",
         "contact_id,note,\n" + contact(1) + ",x,\n" + contact(2) + ",y\n", "row row", usual_defaults, "x"},
        {"empty columns of a spreadsheet", "a.csv", "contact_id,note,,,\n" + contact(1) + ",x,,,\n,,,,\n",
         "row missing_value@contact_id", usual_defaults},
        {"text in a column without name", "a.csv", "contact_id,note,\n" + contact(1) + ",x,y\n", "too_many_columns",
         usual_defaults},
        {"one column", "a.csv", "contact_id\n" + contact(1) + "\n\n" + contact(2), "row row", usual_defaults},
    };
}

std::vector<real_file> quote_files() {
    const std::string r1 = record(1), r2 = record(2), r3 = record(3);
    return {
        {"quoted note with delimiter", "a.csv", csv(with("note", "\"a, b\"")), "row", nullptr, "a, b"},
        {"quoted note with quotes", "a.csv", csv(with("note", "\"say \"\"hi\"\"\"")), "row", nullptr, "say \"hi\""},
        {"note over lines", "a.csv", csv(with("note", "\"a\r\nb\rc\nd\"") + r2), "row row", nullptr, "a\nb\nc\nd"},
        {"blank lines within a note", "a.csv", csv(with("note", "\"a\n\n\nb\"") + r2), "row row", nullptr, "a\n\n\nb"},
        {"everything quoted", "a.csv", "\"contact_id\",\"note\"\n\"" + contact(1) + "\",\"x\"\n", "row", usual_defaults,
         "x"},
        {"blanks before quotes", "a.csv", "contact_id, \"note\"\n" + contact(1) + ", \"a, b\" \n", "row",
         usual_defaults, "a, b"},
        {"quotes in pairs within a cell", "a.csv", csv(with("note", "said \"hi\" twice")), "row", nullptr,
         "said \"hi\" twice"},
        {"inch mark within a cell", "a.csv", csv(with("note", "5\" pipe") + r2), "stray_quote row"},
        {"inch marks in two rows", "a.csv", csv(with("note", "5\" pipe") + with("note", "6\" pipe") + r3),
         "stray_quote stray_quote row"},
        {"quotes not written twice", "a.csv", csv(with("note", "\"say \"hi\" there\"") + r2), "stray_quote row"},
        {"quote never closed in the last row", "a.csv", csv(r1 + "\n" + with("note", "\"open")), "row stray_quote"},
        {"quote never closed at the start", "a.csv", csv(with("note", "\"open") + r2 + "\n" + r3),
         "stray_quote row row"},
        {"two quotes never closed", "a.csv", csv(with("note", "\"open") + r2 + "\n" + with("note", "\"open") + r3),
         "stray_quote row stray_quote row"},
        {"quote that joins two records", "a.csv", csv(with("type", "\"call") + with("type", "call\"") + r3),
         "stray_quote stray_quote row"},
        {"lone quote on a line", "a.csv", csv(r1 + "\n\"\n" + r2), "row stray_quote row"},
        {"header over lines", "a.csv", "contact_id,\"my\nnote\"\n" + contact(1) + ",x", "row", usual_defaults},
        {"quote never closed in the header", "a.csv", "contact_id,\"note\n" + r1, "failure: the header cannot be read"},
        {"too few columns", "a.csv", csv(contact(1) + ",x\n" + r2), "too_few_columns row"},
        {"too many columns", "a.csv", csv(record(1, "a,b") + "\n" + r2), "too_many_columns row"},
        {"too few columns over lines", "a.csv", csv(contact(1) + ",\"a\nb\"\n" + r2), "stray_quote stray_quote row"},
        {"record past the limit", "a.csv", csv(r1 + "\n" + record(2, std::string(3000, 'x')) + "\n" + r3),
         "row record_too_long row", [](source_options& o) { o.import.record_limit = 1000; }},
        {"note over lines never closed", "a.csv",
         csv(record(1, "\"" + repeated("line\n", 10)) + repeated(record(2) + "\n", 20)),
         "stray_quote" + repeated(" too_few_columns", 9) + repeated(" row", 20), nullptr},
        {"open quote past the limit", "a.csv", csv(record(1, "\"open") + "\n" + repeated(record(2) + "\n", 20)),
         "record_too_long" + repeated(" row", 20),
         [](source_options& o) {
             o.import.record_limit = 1000;
             o.block_size = 100;
         }},
        {"header past the limit", "a.csv", "contact_id," + std::string(3000, 'x') + "\n" + contact(1),
         "failure: longer than import.record_limit",
         [](source_options& o) {
             o.import.record_limit = 1000;
             o.block_size = 100;
         }},
    };
}

std::vector<real_file> encoding_files() {
    using namespace std::string_literals;
    const std::string r1 = record(1), r2 = record(2);
    return {
        {"every kind of character in a note", "a.csv",
         csv(with("note", "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\xE2\x80\xAE")), "row", nullptr,
         "\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\xE2\x80\xAE"},
        {"Latin-1 in one row", "a.csv", csv(with("note", "M\xFCller") + r2), "invalid_utf8 row"},
        {"Latin-1 in a quoted row", "a.csv", csv(with("note", "\"M\xFCller, B\"") + r2), "invalid_utf8 row"},
        {"half a character", "a.csv", csv(with("note", "\xE2\x82") + r2), "invalid_utf8 row"},
        {"Latin-1 in the header", "a.csv",
         "contact_id,Gr\xFC\xDF"
         "e\n" +
             contact(1) + ",x",
         "failure: iconv -f ISO-8859-1 -t UTF-8 '"},
        {"Windows encoding in the header", "a.csv", "contact_id,price in \x80\n",
         "failure: iconv -f WINDOWS-1252 -t UTF-8 '"},
        {"UTF-16 with mark", "a.csv", utf16(csv(r1), false, true),
         "failure: is UTF-16 text, not UTF-8; convert it with: iconv"},
        {"UTF-16 big-endian with mark", "a.csv", utf16(csv(r1), true, true), "failure: iconv -f UTF-16 -t UTF-8"},
        {"UTF-16 without mark", "a.csv", utf16(csv(r1), false, false), "failure: iconv -f UTF-16LE -t UTF-8"},
        {"UTF-16 big-endian without mark", "a.csv", utf16(csv(r1), true, false), "failure: iconv -f UTF-16BE -t UTF-8"},
        {"UTF-16 JSON", "a.jsonl", utf16(json_record(1), false, true), "failure: iconv -f UTF-16 -t UTF-8"},
        {"NUL in a row", "a.csv", csv(with("note", "a\0b"s) + r2), "nul_byte row"},
        {"NUL in a quoted row", "a.csv", csv(with("note", "\"a\0b\""s) + r2), "nul_byte row"},
        {"NUL in the header", "a.csv", "contact_id,no\0te\n"s + contact(1) + ",x", "failure: NUL byte"},
        {"spreadsheet", "a.xlsx", "PK\x03\x04 and so on", "failure: save it as CSV"},
        {"spreadsheet named as CSV", "a.csv", "PK\x03\x04 and so on", "failure: save it as CSV"},
        {"gzip", "a.csv.gz", gzipped(csv(r1)), "row"},
        {"gzip without the ending", "a.csv", gzipped(csv(r1)), "row"},
        {"gzip in two members", "a.csv.gz", gzipped(csv(r1 + "\n")) + gzipped(r2), "row row"},
        {"gzip cut off", "a.csv.gz", gzipped(csv(r1)).substr(0, 60), "failure: stops early"},
        {"zstd", "a.csv.zst", zstandard(csv(r1)), "row"},
        {"zstd cut off", "a.csv.zst", zstandard(csv(r1)).substr(0, 60), "failure: stops early"},
        {"named .gz but not compressed", "a.csv.gz", csv(r1), "row"},
        {"gzip with bytes behind it", "a.csv.gz", gzipped(csv(r1)) + "more", "failure: other bytes behind"},
        {"zstd in two frames", "a.csv.zst", zstandard(csv(r1 + "\n")) + zstandard(r2), "row row"},
        {"zstd without the ending", "a", zstandard(csv(r1)), "row"},
        {"UTF-16 in gzip", "a.csv.gz", gzipped(utf16(csv(r1), false, true)), "failure: | iconv -f UTF-16 -t UTF-8 > '"},
        {"UTF-16 in zstd", "a.csv.zst", zstandard(utf16(csv(r1), false, true)), "failure: convert it with: zstd -dc '"},
        {"UTF-16 without mark, other scripts among it", "a.csv", "\xAC\x20,\0"s + utf16(csv(r1), false, false),
         "failure: iconv -f UTF-16LE -t UTF-8"},
        {"UTF-32", "a.csv", "\xFF\xFE\0\0c\0\0\0"s, "failure: iconv -f UTF-32 -t UTF-8"},
        {"old spreadsheet", "a.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "failure: save it as CSV"},
    };
}

std::vector<real_file> column_files() {
    const std::string email = contact(1) + ",jane@example.com\n";
    return {
        {"Apollo's contact export", "apollo-contacts-export.csv",
         "First Name,Last Name,Email,Contact Owner,Apollo Contact Id,Apollo Account Id\nA,B,a@x.org,jane@example.com," +
             contact(1) + ",z\n",
         "row", usual_defaults},
        {"Apollo's id in another CRM's export", "contacts.csv",
         "Record ID,Email,Apollo Contact Id\n123456,a@x.org," + contact(1) + "\n", "row", usual_defaults},
        {"Apollo's id beside the CRM's own", "report.csv", "Contact ID,Apollo Contact Id\n003x," + contact(1) + "\n",
         "failure: name the right one under [columns]: contact_id = \"", usual_defaults},
        {"HubSpot's internal names", "hubspot.csv",
         "hs_object_id,hubspot_owner_id,hs_task_type,hs_task_status,hs_task_priority,hs_timestamp,hs_task_body\n" +
             contact(1) + "," + std::string(owner_id) + ",call,scheduled,low,2025-02-15T10:00:00Z,ring\n",
         "row",
         [](source_options& o) {
             o.columns = {{"contact_id", "hs_object_id"}, {"user_id", "hubspot_owner_id"}};
         },
         "ring"},
        {"HubSpot's ids", "hubspot.csv", "Record ID,Notes\n12345678901,x\n",
         "failure: \"Record ID\": holds HubSpot's ids in its exports", usual_defaults},
        {"HubSpot's words", "hubspot.csv",
         "Apollo ID,Task type,Task status,Priority,Due date,Assigned to,Notes\n" + contact(1) +
             ",TODO,NOT_STARTED,NONE,2025-02-15T10:00:00Z,Jane Doe (jane@example.com),ring\n",
         "row",
         [](source_options& o) {
             owners(o);
             o.defaults = {};
         },
         "ring"},
        {"Salesforce's words", "report.csv",
         "Apollo_Contact_Id__c,OwnerId,Owner.Name,TaskSubtype,Status,Priority,ActivityDate,Description\n" + contact(1) +
             ",0055g0000D6UpEmAQK,Jane Doe,Call,Not Started,Normal,2025-02-15T10:00:00Z,ring\n",
         "row",
         [](source_options& o) {
             owners(o);
             o.defaults = {};
         },
         "ring"},
        {"Salesforce's report", "report.csv",
         "\"Apollo Contact Id\",\"Assigned To ID\",\"Due Date\",\"Full Comments\",\"Status\",\"Priority\"\n\"" +
             contact(1) + "\",\"" + std::string(owner_id) + "\",\"2/15/2025\",\"ring\",\"scheduled\",\"high\"\n",
         "row",
         [](source_options& o) {
             new_york(o);
             o.dates.formats = {"%m/%d/%Y"};
         },
         "ring"},
        {"HubSpot's task export", "hubspot-crm-exports.csv",
         "Apollo ID,Task type,Task status,Priority,Due date,Notes\n" + contact(1) +
             ",action_item,scheduled,low,2025-02-15T10:00:00Z,call back\n",
         "row",
         [](source_options& o) {
             usual_defaults(o);
             o.defaults.type = o.defaults.status = o.defaults.due_at = "";
         },
         "call back"},
        {"Salesforce's task export", "tasks.csv",
         "Id,WhoId,OwnerId,TaskSubtype,Status,Priority,ActivityDate,Description\n1," + contact(1) + "," +
             std::string(owner_id) + ",call,scheduled,low,2025-02-15,ring\n",
         "row",
         [](source_options& o) {
             new_york(o);
             o.columns = {{"contact_id", "WhoId"}, {"user_id", "OwnerId"}};
             o.defaults = {};
         },
         "ring"},
        {"names with case and spaces", "a.csv", " Contact ID , NOTE \n" + contact(1) + ",x", "row", usual_defaults,
         "x"},
        {"no contact column", "a.csv", "name,email\na,b\n",
         "failure: no contact column (contact_id); it has \"name\" and \"email\"", usual_defaults},
        {"no header", "a.csv", record(1), "failure: no contact column"},
        {"contact column twice", "a.csv", "contact_id,Contact ID\n", "failure: more than one column is contact_id",
         usual_defaults},
        {"two columns for the note", "a.csv", "contact_id,Notes,Comments\n", "failure: [columns]: note = \"Notes\"",
         usual_defaults},
        {"no column for what has no default", "a.csv", "contact_id\n",
         "failure: no column and no default for user_id, type, status and due_at"},
        {"columns mapped", "a.csv", "crm,remark\n" + contact(1) + ",x", "row",
         [](source_options& o) {
             usual_defaults(o);
             o.columns = {{"contact_id", "CRM"}, {"note", "Remark"}};
         },
         "x"},
        {"mapped column missing", "a.csv", "contact_id,remark\n", "failure: there is no column \"Remarks\"",
         [](source_options& o) {
             usual_defaults(o);
             o.columns = {{"note", "Remarks"}};
         }},
        {"mended rejects file", "fix.csv", "contact_id,note,error\n" + contact(1) + ",x,invalid_due_at: old\n", "row",
         usual_defaults, "x"},
        {"owner by e-mail", "a.csv", "contact_id,owner_email\n" + email, "row", owners},
        {"owner under Apollo's name", "a.csv", "contact_id,Contact Owner\n" + email, "row", owners},
        {"unknown owner", "a.csv", pair_of("owner_email", "jan@example.com"), "unknown_owner@owner_email", owners},
        {"no owner", "a.csv", pair_of("owner_email", ""), "missing_value@owner_email", owners},
    };
}

std::vector<real_file> cell_files() {
    return {
        {"id in capitals", "a.csv", csv(with("contact_id", "66E8A1B2C3D4E5F6A7B8C9D0")), "row"},
        {"id too short", "a.csv", csv(with("contact_id", "66e8a1b2")), "invalid_contact_id@contact_id"},
        {"id as a spreadsheet shows it", "a.csv", csv(with("contact_id", "6.63028E+23")),
         "invalid_contact_id@contact_id"},
        {"no id", "a.csv", csv(with("contact_id", "")), "missing_value@contact_id"},
        {"owner that is no id", "a.csv", csv(with("user_id", "Jane")), "invalid_user_id@user_id"},
        {"unknown type", "a.csv", csv(with("type", "meeting")), "invalid_type@type"},
        {"no type", "a.csv", csv(with("type", "")), "missing_value@type"},
        {"no priority", "a.csv", csv(with("priority", "")), "row"},
        {"unknown priority", "a.csv", csv(with("priority", "urgent")), "invalid_priority@priority"},
        {"unknown status", "a.csv", csv(with("status", "open")), "invalid_status@status"},
        {"cells with blanks around", "a.csv", csv(with("type", "  call ")), "row"},
        {"note past its limit", "a.csv", csv(with("note", "hello")), "note_too_long@note",
         [](source_options& o) { o.import.note_limit = 4; }},
        {"several faults: the first counts", "a.csv", csv("x,y,z,p,s,d,n\n"), "invalid_contact_id@contact_id"},
        {"other ids by pattern", "a.csv", csv(with("contact_id", "C-17")), "invalid_user_id@user_id",
         [](source_options& o) { o.import.id_pattern = "C-[0-9]+"; }},
        {"date with offset", "a.csv", csv(with("due_at", "2025-02-15T10:00:00+05:30")), "row"},
        {"local time without a zone", "a.csv", csv(with("due_at", "2025-02-15 10:00")), "due_at_without_zone@due_at"},
        {"local time in the zone set", "a.csv", pair_of("due_at", "2025-02-15 10:00"), "row", new_york},
        {"date alone", "a.csv", pair_of("due_at", "2025-02-15"), "row", new_york},
        {"date alone without a time set", "a.csv", pair_of("due_at", "2025-02-15"), "due_at_without_time@due_at",
         [](source_options& o) {
             usual_defaults(o);
             o.dates.timezone = "UTC";
         }},
        {"time that the clocks skip", "a.csv", pair_of("due_at", "2025-03-09 02:30"), "due_at_skipped@due_at",
         new_york},
        {"time that comes twice", "a.csv", pair_of("due_at", "2025-11-02 01:30"), "due_at_ambiguous@due_at", new_york},
        {"American date by a format", "a.csv", pair_of("due_at", "02/15/2025 10:00"), "row", new_york},
        {"American date with a fraction of a second", "a.csv", pair_of("due_at", "02/15/2025 10:00:00.000"), "row",
         [](source_options& o) {
             new_york(o);
             o.dates.formats = {"%m/%d/%Y %H:%M:%S"};
         }},
        {"American date with half of the day", "a.csv", pair_of("due_at", "2/15/2025 3:00 PM"), "row",
         [](source_options& o) {
             new_york(o);
             o.dates.formats = {"%m/%d/%Y %I:%M %p"};
         }},
        {"format that leaves the half of the day open", "a.csv", pair_of("due_at", "2/15/2025 3:00"),
         "failure: %I (12 hours) needs %p",
         [](source_options& o) {
             new_york(o);
             o.dates.formats = {"%m/%d/%Y %I:%M"};
         }},
        {"offset beside no zone needed", "a.csv", csv(with("due_at", "2025-02-15 10:00 +0100")), "row"},
        {"relative date that falls into skipped time", "a.csv", pair_of("due_at", "+27d"), "due_at_skipped@due_at",
         [](source_options& o) {
             new_york(o);
             o.dates.time = "02:30";
         }},
        {"relative hours", "a.csv", pair_of("due_at", "+3h"), "invalid_due_at@due_at", new_york},
        {"American date without a format", "a.csv", pair_of("due_at", "02/15/2025"), "invalid_due_at@due_at",
         usual_defaults},
        {"spreadsheet's day number", "a.csv", pair_of("due_at", "45703"), "invalid_due_at@due_at", new_york},
        {"day that does not exist", "a.csv", pair_of("due_at", "2025-02-30"), "invalid_due_at@due_at", new_york},
        {"relative date", "a.csv", pair_of("due_at", "+3d"), "row", new_york},
        {"relative date without settings", "a.csv", pair_of("due_at", "+3d"), "relative_due_at_needs_settings@due_at",
         usual_defaults},
        {"unknown zone set", "a.csv", pair_of("note", "x"), "failure: dates.timezone",
         [](source_options& o) { o.dates.timezone = "Mars/Olympus"; }},
    };
}

std::vector<real_file> json_files() {
    using namespace std::string_literals;
    const std::string ids = R"("contact_ids":[")" + contact(1) + R"(",")" + contact(2) + R"("])";
    return {
        {"JSON lines", "a.jsonl", json_record(1) + "\n" + json_record(2) + "\n", "row row"},
        {"JSON lines by their first byte", "export", json_record(1), "row"},
        {"JSON lines named .json", "a.json", json_record(1) + "\n" + json_record(2), "row row"},
        {"JSON lines with CRLF and blank lines", "a.ndjson", json_record(1) + "\r\n\r\n" + json_record(2) + "\r\n",
         "row row"},
        {"JSON lines with byte order mark", "a.jsonl", "\xEF\xBB\xBF" + json_record(1), "row"},
        {"empty JSON lines", "a.jsonl", "", ""},
        {"keys in camel case", "a.jsonl", R"({"contactId":")" + contact(1) + R"(","Note":"x"})", "row", usual_defaults,
         "x"},
        {"JSON array", "a.json", "[" + json_record(1) + "]", "failure: jq -c '.[]'"},
        {"JSON array in gzip", "a.json.gz", gzipped("[" + json_record(1) + "]"), "failure: | jq -c '.[]' > '"},
        {"JSON lines named .csv", "a.csv", json_record(1), "failure: give it a name that ends in .jsonl"},
        {"JSON printed over lines", "a.jsonl", "{\n\"contact_id\": \"x\"\n}\n",
         "invalid_json invalid_json invalid_json"},
        {"unknown keys of every type", "a.jsonl", json(R"("x":{"y":[1,2]},"z":null,"n":1e5,"b":true)"), "row",
         usual_defaults},
        {"integer past 64 bits in an unknown key", "a.jsonl", json(R"("x":123456789012345678901234567890)"), "row",
         usual_defaults},
        {"null as absent", "a.jsonl", json(R"("priority":null,"note":null)"), "row", usual_defaults},
        {"id as a number", "a.jsonl", R"({"contact_id":123456789012345678901234})", "wrong_type@contact_id",
         usual_defaults},
        {"nested value", "a.jsonl", json(R"("note":{"text":"x"})"), "wrong_type@note", usual_defaults},
        {"value in an array", "a.jsonl", json(R"("type":["call"])"), "wrong_type@type", usual_defaults},
        {"true as status", "a.jsonl", json(R"("status":true)"), "wrong_type@status", usual_defaults},
        {"key twice", "a.jsonl", json(R"("note":"a","note":"b")"), "duplicate_key", usual_defaults},
        {"unknown key twice", "a.jsonl", json(R"("x":1,"x":2)"), "duplicate_key", usual_defaults},
        {"key twice among many", "a.jsonl",
         json(
             R"("a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"a":1)"),
         "duplicate_key", usual_defaults},
        {"two spellings of a key", "a.jsonl", json(R"("contactId":"x")"), "duplicate_key", usual_defaults},
        {"alias beside the key", "a.jsonl", json(R"("description":"a","note":"b")"), "row", usual_defaults, "b"},
        {"escapes and surrogates", "a.jsonl", json(R"("note":"\u00fc\ud83d\ude00\n\"\/")"), "row", usual_defaults,
         "\xC3\xBC\xF0\x9F\x98\x80\n\"/"},
        {"half a surrogate", "a.jsonl", json(R"("note":"\ud83d")") + json(""), "invalid_json row", usual_defaults},
        {"NUL by an escape", "a.jsonl", json(R"("note":"\u0000")"), "nul_byte@note", usual_defaults},
        {"NUL byte", "a.jsonl", "{\0}\n"s + json(""), "nul_byte row", usual_defaults},
        {"Latin-1 in JSON", "a.jsonl", json("\"note\":\"M\xFCller\"") + json(""), "invalid_utf8 row", usual_defaults},
        {"line that is no object", "a.jsonl", "[1,2]\n\"x\"\n" + json(""), "not_an_object not_an_object row",
         usual_defaults},
        {"broken line among good ones", "a.jsonl", json("") + "{\"contact_id\":\n" + json(""), "row invalid_json row",
         usual_defaults},
        {"two objects on a line", "a.jsonl", "{}{}\n" + json(""), "invalid_json row", usual_defaults},
        {"comma behind the object", "a.jsonl", R"({"contact_id":"x"},)", "invalid_json", usual_defaults},
        {"deeply nested", "a.jsonl", R"({"x":)" + std::string(5000, '[') + "\n" + json(""), "invalid_json row",
         usual_defaults},
        {"line past the limit", "a.jsonl", json(R"("note":")" + std::string(3000, 'x') + "\"") + json(""),
         "record_too_long row",
         [](source_options& o) {
             usual_defaults(o);
             o.import.record_limit = 1000;
             o.block_size = 100;
         }},
        {"the API's own body", "a.jsonl", "{" + ids + R"(,"priority":"low"})" + "\n" + json(""), "row row row",
         usual_defaults},
        {"bad id among good ones", "a.jsonl", R"({"contact_ids":["x",")" + contact(1) + R"(",null,[1]]})",
         "invalid_contact_id@contact_ids row wrong_type@contact_ids wrong_type@contact_ids", usual_defaults},
        {"bad details of several contacts", "a.jsonl", "{" + ids + R"(,"type":7})", "wrong_type@type wrong_type@type",
         usual_defaults},
        {"no contacts", "a.jsonl", R"({"contact_ids":[]})", "empty_contact_ids@contact_ids", usual_defaults},
        {"contacts that are no array", "a.jsonl", R"({"contact_ids":"x"})", "wrong_type@contact_ids", usual_defaults},
        {"both forms of contact", "a.jsonl", json(ids), "duplicate_key@contact_ids", usual_defaults},
        {"no contact key", "a.jsonl", "{}", "missing_value@contact_id", usual_defaults},
        {"format set for a stream without a telling name", "stream", "broken\n" + json(""), "invalid_json row",
         [](source_options& o) {
             usual_defaults(o);
             o.import.format = "jsonl";
         }},
        {"unknown format set", "stream", "contact_id\n", "failure: import.format",
         [](source_options& o) { o.import.format = "xml"; }},
    };
}

std::vector<real_file> all_files() {
    std::vector<real_file> all;
    for (auto part : {line_and_delimiter_files, quote_files, encoding_files, column_files, cell_files, json_files}) {
        auto files = part();
        all.insert(all.end(), std::make_move_iterator(files.begin()), std::make_move_iterator(files.end()));
    }
    return all;
}

reading_outcome read_file(const real_file& f) {
    source_options o;
    if (f.settings) f.settings(o);
    return read_text(f.name, f.bytes, o);
}

TEST(RealFiles, EachYieldsWhatItShould) {
    constexpr std::string_view failing = "failure: ";
    const auto files = all_files();
    EXPECT_GE(files.size(), 80u);
    for (const real_file& f : files) {
        const auto out = read_file(f);
        if (f.yields.starts_with(failing)) {
            ASSERT_TRUE(out.failure) << f.title << ": " << out.summary();
            EXPECT_THAT(out.failure->text, ::testing::HasSubstr(f.yields.substr(failing.size()))) << f.title;
            EXPECT_EQ(out.failure->text.find('\n'), std::string::npos) << f.title;
            continue;
        }
        ASSERT_FALSE(out.failure) << f.title << ": " << out.failure->text;
        EXPECT_EQ(out.summary(), f.yields) << f.title;
        if (!f.first_note.empty()) {
            ASSERT_FALSE(out.rows.empty()) << f.title;
            EXPECT_EQ(out.rows[0].details.note, f.first_note) << f.title;
        }
    }
}

// The codes that the section "Rejected rows" of docs/codes.md lists.
std::set<std::string> documented_codes() {
    std::ifstream in(TASKBARGE_SOURCE_DIR "/docs/codes.md");
    std::set<std::string> codes;
    bool within = false;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("## ")) within = line == "## Rejected rows";
        if (within && line.starts_with("| `")) codes.insert(line.substr(3, line.find('`', 3) - 3));
    }
    return codes;
}

TEST(RealFiles, CodesThatOccurAndCodesThatAreDocumentedAreTheSame) {
    std::set<std::string> occurring;
    for (const real_file& f : all_files())
        for (const core::rejected_row& r : read_file(f).rejects)
            occurring.insert(r.code);
    EXPECT_EQ(occurring, documented_codes());
}

// Words with an underscore in the reader's sources are names of fields or codes.
TEST(RealFiles, EveryCodeThatTheReaderKnowsIsDocumented) {
    std::set<std::string> known = documented_codes();
    for (const field f : all_fields)
        known.emplace(to_string(f));
    std::set<std::string> found;
    const std::regex word("\"([a-z0-9]+(_[a-z0-9]+)+)\"");
    for (const auto& file : std::filesystem::directory_iterator(TASKBARGE_SOURCE_DIR "/src/reader")) {
        std::ifstream in(file.path());
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        for (auto at = std::sregex_iterator(text.begin(), text.end(), word); at != std::sregex_iterator(); ++at)
            found.insert((*at)[1]);
    }
    EXPECT_GT(found.size(), 15u);
    EXPECT_THAT(found, ::testing::IsSubsetOf(known));
}

TEST(RealFiles, OwnerThatIsUnknownNamesTheNearest) {
    source_options o;
    owners(o);
    EXPECT_THAT(read_text("a.csv", pair_of("owner_email", "jan@example.com"), o).reject(0).message,
                ::testing::HasSubstr("the nearest is jane@example.com"));
}

TEST(RealFiles, LocalTimeWithoutAZoneNamesTheRemedy) {
    EXPECT_THAT(read_text("a.csv", csv(with("due_at", "2025-02-15 10:00"))).reject(0).message,
                ::testing::HasSubstr("set dates.timezone"));
}

TEST(RealFiles, JsonPrintedOverLinesNamesTheCommandThatConvertsIt) {
    EXPECT_THAT(read_text("a.jsonl", "{\n\"contact_id\": \"x\"\n}\n").reject(0).message,
                ::testing::HasSubstr("jq -c . '"));
    EXPECT_THAT(read_text("a.jsonl", "[\n{}\n]\n").reject(0).message, ::testing::HasSubstr("jq -c '.[]' '"));
    EXPECT_THAT(read_text("a.jsonl", "[{}]\n").reject(0).message, ::testing::HasSubstr("jq -c '.[]' '"));
}

TEST(RealFiles, ContactsOfOneLineHaveTheSameLine) {
    const auto out =
        read_text("a.jsonl", json_record(1) + "\n" + R"({"contact_ids":[")" + contact(2) + R"(","x"],"user_id":")" +
                                 std::string(owner_id) +
                                 R"(","type":"call","status":"scheduled","due_at":"2025-02-15T10:00:00Z"})");
    ASSERT_EQ(out.summary(), "row row invalid_contact_id@contact_ids");
    EXPECT_EQ(out.rows[1].at.line, 2u);
    EXPECT_EQ(out.reject(0).at.line, 2u);
}

TEST(RealFiles, RepeatedTimeNamesBothReadings) {
    source_options o;
    new_york(o);
    EXPECT_THAT(read_text("a.csv", pair_of("due_at", "2025-11-02 01:30"), o).reject(0).message,
                ::testing::HasSubstr("2025-11-02T01:30:00-04:00 or 2025-11-02T01:30:00-05:00"));
}

TEST(RealFiles, SkippedTimeNamesBothReadings) {
    source_options o;
    new_york(o);
    EXPECT_THAT(read_text("a.csv", pair_of("due_at", "2025-03-09 02:30"), o).reject(0).message,
                ::testing::HasSubstr("2025-03-09T02:30:00-05:00 or 2025-03-09T02:30:00-04:00"));
}

TEST(RealFiles, Latin1RowNamesTheCommandThatConvertsTheFile) {
    EXPECT_THAT(read_text("list.csv", csv(with("note", "M\xFCller"))).reject(0).message,
                ::testing::HasSubstr("iconv -f ISO-8859-1 -t UTF-8 '"));
}

}  // namespace
}  // namespace taskbarge::reader
