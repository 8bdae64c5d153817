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
    std::string says = {};        // a part of the first reject's message, or of a remark on the file
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
        {"empty columns of a spreadsheet", "a.csv", "contact_id,note,,,\n" + contact(1) + ",x,,,\n,,,,\n", "row",
         usual_defaults},
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

// Without Apollo's id, or beside it.
std::vector<real_file> key_files() {
    const std::string good = contact(1), salesforce = "0035g0000ezO3NeAAK", short_id = "0035g0000ezO3Ne";
    const auto only = [](const char* column) { return fmt::format("{},note\n", column); };
    return {
        {"addresses only", "a.csv", only("Email") + "a@x.org,hello\nB@X.org,\n", "row row", usual_defaults, "hello"},
        {"Salesforce's export", "contacts.csv",
         "ID,LASTNAME,EMAIL,OWNERID\n" + salesforce + ",Doe,a@x.org,0055g0000D6UpEmAQK\n", "row", usual_defaults},
        {"Salesforce's report", "report.csv", "Contact ID,Last Name\n" + salesforce + ",Doe\n" + short_id + ",Roe\n",
         "row row",
         [](source_options& o) {
             usual_defaults(o);
             o.columns = {{"salesforce_id", "Contact ID"}};
         }},
        {"Salesforce's ids where Apollo's should be",
         "report.csv",
         "Contact ID,Last Name\n" + salesforce + ",Doe\n",
         "invalid_contact_id@Contact ID",
         usual_defaults,
         {},
         "is no Apollo id but Salesforce's; an id is 24 hexadecimal digits; columns.salesforce_id = \"Contact ID\" "
         "takes "
         "the column for such ids"},
        {"HubSpot's ids where Apollo's should be",
         "a.csv",
         "Contact ID\n12648\n",
         "invalid_contact_id@Contact ID",
         usual_defaults,
         {},
         "columns.hubspot_id = \"Contact ID\""},
        {"addresses where Apollo's ids should be",
         "a.csv",
         "Contact ID\na@x.org\n",
         "invalid_contact_id@Contact ID",
         usual_defaults,
         {},
         "columns.email = \"Contact ID\" takes the column for such addresses"},
        {"profiles where Apollo's ids should be",
         "a.jsonl",
         R"({"contact_id":"linkedin.com/in/jane"})"
         "\n",
         "invalid_contact_id@contact_id",
         usual_defaults,
         {},
         "columns.linkedin_url = \"contact_id\""},
        {"HubSpot's export of contacts",
         "hubspot.csv",
         "Record ID,First Name,Last Name,Email\n12648,Jane,Doe,a@x.org\n12649,Sam,Roe,\n,,,\n,Al,Doe,\n",
         "row row missing_value@Record ID",
         usual_defaults,
         {},
         "nothing names the contact: \"Record ID\" and \"Email\" are empty; fill one of them"},
        {"HubSpot's export of companies", "hubspot.csv", "Record ID,Company name\n12648,Acme\n",
         "failure: \"Record ID\": holds HubSpot's ids in its exports, of whatever they list", usual_defaults},
        {"rows of both kinds",
         "a.csv",
         "contact_id,Email\n" + good + ",\n,a@x.org\n" + good + ",a@x.org\n,\n\\N,b@x.org\nno id,c@x.org\n,  x\n",
         "row row row row invalid_contact_id@contact_id invalid_email@Email",
         usual_defaults,
         {},
         "a row without any content skipped"},
        {"nothing names the contact",
         "a.csv",
         "contact_id,Email,LinkedIn URL,note\n,,,x\n",
         "missing_value@contact_id",
         usual_defaults,
         {},
         "nothing names the contact: \"contact_id\", \"Email\" and \"LinkedIn URL\" are empty; fill one of them"},
        {"the only key is empty",
         "a.csv",
         only("Email") + ",x\n",
         "missing_value@Email",
         usual_defaults,
         {},
         "\"Email\" is empty; there is no default for it"},
        {"keys that are none",
         "a.csv",
         "Email,WhoId,vid,LinkedIn\nn/a,,,\n,00T5g0000ezO3Ne,,\n,,1.5E+9,\n,,,linkedin.com/company/acme\n",
         "invalid_email@Email invalid_salesforce_id@WhoId invalid_hubspot_id@vid invalid_linkedin_url@LinkedIn",
         usual_defaults,
         {},
         "is the id of a task in Salesforce"},
        {"several addresses in a cell",
         "a.csv",
         only("Email") + "a@x.org; b@x.org,x\n",
         "invalid_email@Email",
         usual_defaults,
         {},
         "keep one address in a cell"},
        {"a bad key beside a good one",
         "a.csv",
         "Email,WhoId\nn/a," + salesforce + "\nb@x.org,0015g0000ezO3Ne\n",
         "row row",
         usual_defaults,
         {},
         "2 rows with an e-mail address or id of a contact that is none; it was not used"},
        {"a bad key beside Apollo's id",
         "a.csv",
         "contact_id,Email\n" + good + ",none\n" + contact(2) + ",a@x.org\n",
         "row row",
         usual_defaults,
         {},
         "a row with an e-mail address or id of a contact that is none; it was not used, as "
         "something else names the contact, on line 2"},
        {"keys as spreadsheets and databases write them", "a.csv",
         "Email,vid\n'a@x.org,NULL\n\\N,\"=\"\"12648\"\"\"\nNULL,12648.0\n", "row row row", usual_defaults},
        {"a header again, without Apollo's ids", "a.csv", "Email,Notes\na@x.org,x\nEmail,Notes\nb@x.org,y\n", "row row",
         usual_defaults, "x", "a header like the first skipped, on line 3"},
        {"another header, without Apollo's ids", "a.csv", "Email,Notes\na@x.org,x\nNotes,Email\ny,b@x.org\n",
         "failure: a.csv:3: here is another header", usual_defaults},
        {"HubSpot's header again",
         "a.csv",
         "Record ID,First Name\n5,Jo\nRecord ID,First Name\n6,Al\n",
         "row row",
         usual_defaults,
         {},
         "a header like the first skipped"},
        {"lines above a header without Apollo's ids", "a.csv", "All contacts\n\nFirst Name,Email\nJane,a@x.org\n",
         "failure: line 3 looks like the header: set import.skip_lines = 2", usual_defaults},
        {"a quote that joins lines in a key", "a.csv", only("Email") + "\"a@x.org,x\nb@x.org\",y\nc@x.org,z\n",
         "stray_quote stray_quote row", usual_defaults},
        {"JSON with keys", "a.jsonl",
         R"({"email":"a@x.org"})"
         "\n"
         R"({"email":"b@x.org","contact_id":null})"
         "\n"
         R"({"hubspot_id":12648})"
         "\n"
         R"({"hubspot_id":12649})"
         "\n"
         R"({"hubspot_id":"12650"})"
         "\n"
         R"({"hubspot_id":12651.0})"
         "\n"
         R"({"WhoId":"0035g0000ezO3Ne"})"
         "\n"
         R"({"linkedin_url":"linkedin.com/in/jane"})"
         "\n",
         "row row row row row row row row", usual_defaults},
        {"JSON with keys that are none", "a.jsonl",
         R"({"email":"n/a"})"
         "\n"
         R"({"email":5})"
         "\n"
         R"({"email":["a@x.org"]})"
         "\n"
         R"({"hubspot_id":12.5})"
         "\n"
         R"({"hubspot_id":-12})"
         "\n"
         R"({"hubspot_id":true})"
         "\n"
         R"({"email":"a@x.org","Email":"b@x.org"})"
         "\n"
         R"({"email":"a\u0000@x.org"})"
         "\n"
         R"({"salesforce_id":{"$oid":"x"}})"
         "\n",
         "invalid_email@email wrong_type@email wrong_type@email invalid_hubspot_id@hubspot_id "
         "invalid_hubspot_id@hubspot_id wrong_type@hubspot_id duplicate_key@email nul_byte@email "
         "wrong_type@salesforce_id",
         usual_defaults},
        {"the same beside Apollo's id",
         "a.jsonl",
         json(R"("email":"n/a")") + json(R"("email":5)") + json(R"("email":{"value":"a@x.org"})") +
             json(R"("hubspot_id":12.5)") + json(R"("email":"a@x.org","Email":"b@x.org")") + json(R"("email":null)"),
         "row row row row row row",
         usual_defaults,
         {},
         "5 rows with an e-mail address or id of a contact that is none"},
        {"JSON in which nothing names the contact",
         "a.jsonl",
         R"({"note":"x"})"
         "\n"
         R"({"email":"","note":"x"})"
         "\n",
         "missing_value@contact_id missing_value@contact_id",
         usual_defaults,
         {},
         "none of contact_id, email, salesforce_id, hubspot_id and linkedin_url is filled"},
        {"the API's own form with a key", "a.jsonl",
         R"({"contact_ids":[")" + contact(1) + R"(",")" + contact(2) +
             R"("],"email":"n/a"})"
             "\n",
         "row row", usual_defaults},
        {"a dump of Apollo's contacts", "a.jsonl",
         R"({"email":"a@x.org","contact_emails":[{"email":"a@x.org"}],"phone_numbers":[]})"
         "\n",
         "row", usual_defaults},
        {"an answer that holds contacts by address", "a.json",
         R"({"page":1,"contacts":[{"email":"a@x.org"},{"email":"b@x.org"}]})"
         "\n",
         "failure: is one JSON object that holds the records in .contacts", usual_defaults},
        {"an account's answer that holds contacts", "a.jsonl",
         R"({"email":"me@x.org","contacts":[{"contact_id":"x"}]})"
         "\n"
         R"({})"
         "\n",
         "failure: is one JSON object that holds the records in .contacts", usual_defaults},
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
        {"no contact column", "a.csv", "name,phone\na,b\n",
         "failure: no contact column (contact_id, email, salesforce_id, hubspot_id or linkedin_url); it has \"name\" "
         "and "
         "\"phone\"",
         usual_defaults},
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
        {"JSON printed over lines", "a.jsonl", "{\n\"contact_id\": \"x\"\n}\n", "failure: jq -c . '"},
        {"JSON printed over lines behind a good line", "a.jsonl", json_record(1) + "\n{\n\"contact_id\": \"x\"\n}\n",
         "row invalid_json invalid_json invalid_json", nullptr, "", "jq -c . '"},
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
        {"two objects on a line", "a.jsonl", json("") + "{}{}\n" + json(""), "row invalid_json row", usual_defaults},
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
        {"no contact key", "a.jsonl", R"({"note":"x"})", "missing_value@contact_id", usual_defaults},
        {"format set for a stream without a telling name", "stream", "broken\n" + json(""), "invalid_json row",
         [](source_options& o) {
             usual_defaults(o);
             o.import.format = "jsonl";
         }},
        {"unknown format set", "stream", "contact_id\n", "failure: import.format",
         [](source_options& o) { o.import.format = "xml"; }},
    };
}

// The characters that people's files have without their knowing.
constexpr const char* zwsp = "\xE2\x80\x8B";
constexpr const char* mark = "\xEF\xBB\xBF";
constexpr const char* nbsp = "\xC2\xA0";
constexpr const char* narrow = "\xE2\x80\xAF";  // U+202F

std::vector<real_file> empty_row_files() {
    const std::string r1 = record(1), r2 = record(2), c = contact(1), d = contact(2);
    const auto of = [](const std::string& middle) {
        return "contact_id,note,x\n" + contact(1) + ",a,b\n" + middle + "\n" + contact(2) + ",c,d\n";
    };
    return {
        {"delimiters only", "a.csv", of(",,"), "row row", usual_defaults, "",
         "a row without any content skipped, on line 3"},
        {"several rows of delimiters", "a.csv", of(",,\n,,\n,,"), "row row", usual_defaults, "",
         "3 rows without any content skipped, the first on line 3"},
        {"forty rows below a table", "a.csv", of(repeated(",,\n", 40)), "row row", usual_defaults, "", "40 rows"},
        {"delimiters only, too few", "a.csv", of(","), "row row", usual_defaults, "", "without any content"},
        {"delimiters only, too many", "a.csv", of(",,,,,,,"), "row row", usual_defaults, "", "without any content"},
        {"blanks in the cells", "a.csv", of(" , ,\t"), "row row", usual_defaults, "", "without any content"},
        {"empty quotes in the cells", "a.csv", of("\"\",\"\",\"\""), "row row", usual_defaults, "", "on line 3"},
        {"quoted blanks and line ends in the cells", "a.csv", of("\" \",\"\r\n\",\"\""), "row row", usual_defaults, "",
         "on line 3"},
        {"no-break spaces in the cells", "a.csv", of(std::string(nbsp) + "," + narrow + ","), "row row", usual_defaults,
         "", "without any content"},
        {"characters that do not show in the cells", "a.csv", of(std::string(zwsp) + ",," + mark), "row row",
         usual_defaults, "", "without any content"},
        {"words for none in the cells", "a.csv", of("\\N,\\N,NULL"), "row row", usual_defaults, "",
         "without any content"},
        {"tabs in a table of tabs", "a.tsv", "contact_id\tnote\n" + c + "\tx\n\t\n \t \n" + d + "\ty\n", "row row",
         usual_defaults, "", "2 rows without any content skipped, the first on line 3"},
        {"semicolons", "a.csv", "contact_id;note\n;\n" + c + ";x\n", "row", usual_defaults, "", "on line 2"},
        {"lone CRs", "a.csv", "contact_id,note\r,\r" + c + ",x\r", "row", usual_defaults, "", "on line 2"},
        {"empty rows only", "a.csv", "contact_id,note\n,\n,\n", "", usual_defaults, "", "2 rows"},
        {"empty row at the end without a line end", "a.csv", of("") + ",,", "row row", usual_defaults, "", "on line 5"},
        {"content in a column that is not used", "a.csv", of(",,x"), "row missing_value@contact_id row",
         usual_defaults},
        {"content in the note alone", "a.csv", of(",x,"), "row missing_value@contact_id row", usual_defaults},
        {"content behind the last column", "a.csv", of(",,,,x"), "row too_many_columns row", usual_defaults},
        {"a zero is content", "a.csv", of(",,0"), "row missing_value@contact_id row", usual_defaults},
        {"empty rows and lines behind them", "a.csv", of(",,\n\n,,") + "x\n", "row row too_few_columns",
         usual_defaults},
        {"empty object", "a.jsonl", json_record(1) + "\n{}\n" + json_record(2), "row row", nullptr, "",
         "a row without any content skipped, on line 2"},
        {"object of nulls and empty texts", "a.jsonl",
         json_record(1) + "\n" + R"({"contact_id":null,"note":"","x":" ","y":"\u00a0"})" + "\n", "row", nullptr, "",
         "on line 2"},
        {"objects like the one before without values", "a.jsonl",
         R"({"contact_id":")" + c + R"(","x":"y"})" + "\n" + R"({"contact_id":"","x":""})" + "\n" +
             R"({"contact_id":"","x":"z"})" + "\n",
         "row missing_value@contact_id", usual_defaults, "", "on line 2"},
        {"object with a number is content", "a.jsonl", R"({"contact_id":null,"x":0})", "missing_value@contact_id",
         usual_defaults},
    };
}

std::vector<real_file> invisible_files() {
    const std::string r1 = record(1), c = contact(1);
    const auto around = [](const std::string& sign) { return sign + contact(1) + sign; };
    std::vector<real_file> files;
    // Each at both ends of an id, in a file of its own.
    for (const char* sign :
         {"\xC2\xAD", "\xE2\x80\x8B", "\xE2\x80\x8C", "\xE2\x80\x8D", "\xE2\x80\x8E", "\xE2\x80\x8F", "\xE2\x80\xAA",
          "\xE2\x80\xAE", "\xE2\x81\xA0", "\xE2\x81\xA6", "\xE2\x81\xA9", "\xEF\xB8\x80", "\xEF\xB8\x8F",
          "\xEF\xBB\xBF", "\xC2\xA0", "\xE2\x80\x87", "\xE2\x80\xAF", "\xE3\x80\x80"}) {
        files.push_back({"sign that does not show around an id", "a.csv", "contact_id\n" + around(sign) + "\n", "row",
                         usual_defaults});
        files.push_back({"sign that does not show in a name", "a.csv",
                         std::string("con") + (std::string_view(sign).starts_with("\xEF\xB8") ? sign : "") + "tact_id" +
                             sign + "\n" + c + "\n",
                         "row", usual_defaults});
    }
    const std::vector<real_file> more{
        {"zero-width space around every cell", "a.csv",
         std::string(header) + zwsp + c + zwsp + "," + zwsp + std::string(owner_id) + "," + zwsp + "call,high" + zwsp +
             ",scheduled" + zwsp + "," + zwsp + "2025-02-15T10:00:00Z,x\n",
         "row"},
        {"notes keep what does not show", "a.csv", csv(with("note", std::string(zwsp) + "a" + zwsp)), "row", nullptr,
         std::string(zwsp) + "a" + zwsp},
        {"zero-width space within an id", "a.csv", "contact_id\n66e8" + std::string(zwsp) + c.substr(4) + "\n",
         "invalid_contact_id@contact_id", usual_defaults, "", "\"66e8<U+200B>a1b2"},
        {"no-break space within a type", "a.csv", csv(with("type", std::string("action") + nbsp + "item")),
         "invalid_type@type", nullptr, "", "\"action<U+00A0>item\""},
        {"Cyrillic letter in a type", "a.csv", csv(with("type", "c\xD0\xB0ll")), "invalid_type@type", nullptr, "",
         "\"c<U+0430>ll\""},
        {"Greek letter in a status", "a.csv",
         csv(with("status",
                  "sch\xCE\xB5"
                  "duled")),
         "invalid_status@status", nullptr, "", "<U+03B5>"},
        {"full-width letters in a type", "a.csv",
         csv(with("type",
                  "\xEF\xBD\x83"
                  "all")),
         "invalid_type@type", nullptr, "", "<U+FF43>all"},
        {"Cyrillic letter in an id", "a.csv",
         csv(with("contact_id",
                  "66\xD0\xB5"
                  "8a1b2c3d4e5f6a7b80001")),
         "invalid_contact_id@contact_id", nullptr, "", "\"66<U+0435>8a1b2"},
        {"a word of another alphabet alone stays readable", "a.csv",
         csv(with("type", "\xD0\xB7\xD0\xB2\xD0\xBE\xD0\xBD")), "invalid_type@type", nullptr, "",
         "\"\xD0\xB7\xD0\xB2\xD0\xBE\xD0\xBD\""},
        {"hyphen that does not break in a date", "a.csv",
         csv(with("due_at",
                  "2025\xE2\x80\x91"
                  "02\xE2\x80\x91"
                  "15")),
         "invalid_due_at@due_at", nullptr, "", "2025<U+2011>02"},
        {"two byte order marks", "a.csv", std::string(mark) + mark + csv(r1), "row"},
        {"three byte order marks and a quoted header", "a.csv",
         std::string(mark) + mark + mark + "\"contact_id\"\n" + c, "row", usual_defaults},
        {"byte order mark behind blank lines", "a.csv", "\n" + std::string(mark) + "\"contact_id\",note\n" + c + ",x",
         "row", usual_defaults},
        {"two byte order marks before JSON lines", "a.jsonl", std::string(mark) + mark + json_record(1), "row"},
        {"JSON lines joined", "a.jsonl", json_record(1) + "\n" + mark + json_record(2) + "\n", "row row"},
        {"tables joined", "a.csv", std::string(mark) + csv(r1) + "\n" + mark + csv(record(2)), "row row", nullptr, "",
         "a header like the first skipped, on line 3"},
        {"tables joined, quoted", "a.csv",
         "\"note\",\"contact_id\"\n\"a\"," + c + "\n" + mark + "\"note\",\"contact_id\"\n" + mark + "\"b\"," +
             contact(2) + "\n",
         "row row", usual_defaults, "a", "on line 3"},
        {"tables joined without a line break", "a.csv", csv(r1) + mark + csv(record(2)), "too_many_columns row",
         nullptr, "", "joined here without a line break"},
        {"no-break spaces within a name", "a.csv",
         "contact" + std::string(nbsp) + "id,Due" + narrow + "Date\n" + c + "," + "2025-02-15T10:00:00Z\n", "row",
         usual_defaults},
        {"zero-width space in a JSON key", "a.jsonl", "{\"contact" + std::string(zwsp) + "_id\":\"" + c + "\"}", "row",
         usual_defaults},
        {"no-break space in a JSON key", "a.jsonl", "{\"Contact" + std::string(nbsp) + "ID\":\"" + c + "\"}", "row",
         usual_defaults},
        {"zero-width space around a JSON value", "a.jsonl", R"({"contact_id":"\u200b)" + c + R"(\ufeff"})", "row",
         usual_defaults},
        {"one key in two spellings that look alike", "a.jsonl",
         "{\"contact_id\":\"" + c + "\",\"contact_id" + zwsp + "\":\"" + c + "\"}", "duplicate_key", usual_defaults, "",
         "contact_id<U+200B>"},
        {"column set by its name, which has a mark in the file", "a.csv", "crm" + std::string(zwsp) + "\n" + c, "row",
         [](source_options& o) {
             usual_defaults(o);
             o.columns = {{"contact_id", "crm"}};
         }},
    };
    files.insert(files.end(), more.begin(), more.end());
    return files;
}

std::vector<real_file> other_json_files() {
    const std::string a = json_record(1), b = json_record(2);
    const std::string pretty = "{\n  \"contact_id\": \"" + contact(1) + "\",\n  \"tags\": [\n    \"x\"\n  ]\n}\n";
    std::string broken_first = "{\"contact_id\":\n" + a + "\n";
    return {
        {"array, one object a line", "a.jsonl", "[\n" + a + ",\n" + b + "\n]\n",
         "failure: is a JSON array, not one JSON object a line; convert it with: jq -c '.[]' '"},
        {"array, pretty-printed", "a.jsonl", "[\n  {\n    \"contact_id\": \"x\"\n  }\n]\n", "failure: jq -c '.[]' '"},
        {"array on one line", "a.jsonl", "[" + a + "," + b + "]", "failure: jq -c '.[]' '"},
        {"array with a byte order mark", "a.ndjson", std::string(mark) + " [" + a + "]", "failure: jq -c '.[]' '"},
        {"array named as CSV", "a.csv", "[\n" + a + "\n]", "failure: jq -c '.[]' '"},
        {"array without a telling name", "export", "[" + a + "]", "failure: jq -c '.[]' '"},
        {"array where the format is set", "export", "[" + a + "]", "failure: jq -c '.[]' '",
         [](source_options& o) { o.import.format = "jsonl"; }},
        {"array in zstd", "a.jsonl.zst", zstandard("[" + a + "]"), "failure: zstd -dc '"},
        {"empty array", "a.jsonl", "[]\n", "failure: is a JSON array"},
        {"array of texts by its name", "a.json", "[\"x\"]", "failure: is a JSON array"},
        {"array line among good ones", "a.jsonl", a + "\n[" + b + "]\n" + json_record(3), "row not_an_object row",
         nullptr, "", "jq -c '.[]' '"},
        {"bracket line among good ones", "a.jsonl", a + "\n[\n" + b + "\n]\n", "row invalid_json row invalid_json"},
        {"object that holds the records", "a.json", "{\"contacts\": [" + a + ", " + b + "]}",
         "failure: is one JSON object that holds the records in .contacts, not one JSON object a line; convert it "
         "with: jq -c '.contacts[]' '"},
        {"object that holds the records, over lines", "a.jsonl", "{\n \"contacts\": [\n" + a + ",\n" + b + "\n ]\n}\n",
         "failure: jq -c '.contacts[]' '"},
        {"object that holds the records deeper", "a.json",
         "{\"data\":{\"total\":2,\"my rows\":[" + a + "]},\"next\":null}", "failure: jq -c '.data[\"my rows\"][]' '"},
        {"object that holds records without contacts", "a.json", R"({"results":[{"id":1},{"id":2}],"paging":{}})",
         "failure: jq -c '.results[]' '"},
        {"object that holds the records named as CSV", "a.csv", "{\"contacts\":[" + a + "]}",
         "failure: jq -c '.contacts[]' '"},
        {"first line that holds records without contacts", "a.jsonl",
         R"({"results":[{"id":1}]})"
         "\n" +
             a,
         "missing_value@contact_id row", nullptr, "", "jq -c '.results[]' '"},
        {"first line that holds the records past the limit", "a.jsonl",
         "{\"contacts\":[" + repeated(a + ",", 400) + a + "]}", "failure: jq -c '.contacts[]' '",
         [](source_options& o) { o.import.record_limit = 1000; }},
        {"objects over lines", "a.jsonl", pretty + pretty,
         "failure: has JSON objects that stand over lines, not one a line; convert it with: jq -c . '"},
        {"objects over lines with CRLF", "a.json", "{\r\n\"contact_id\": \"x\"\r\n}\r\n", "failure: jq -c . '"},
        {"objects over lines named as CSV", "a.csv", pretty, "failure: jq -c . '"},
        {"objects over lines that hold arrays of objects", "a.jsonl", "{\n\"contact_id\":\"x\",\n\"tags\":[{\"a\":1}]}",
         "failure: jq -c . '"},
        {"objects one behind the other", "a.jsonl", a + b,
         "failure: has JSON objects one behind the other, not one a line; convert it with: jq -c . '"},
        {"objects one behind the other with blanks", "export", a + "  " + b + " " + a, "failure: jq -c . '"},
        {"objects with commas between them", "a.jsonl", a + ",\n" + b + ",\n", "failure: jq -c '.[]' > '"},
        {"objects with commas between them on one line", "a.jsonl", a + "," + b,
         "failure: has commas between its JSON objects"},
        {"objects with record separators", "a.jsonl", "\x1E" + a + "\n\x1E" + b + "\n", "failure: sed 's/^\\x1e//' '"},
        {"array on standard input's kind of name", "list", " \n\t[ \n {}]", "failure: jq -c '.[]' '"},
        {"good lines with arrays of objects", "a.jsonl",
         json(R"("contacts":[{"contact_id":"y"}])") + json(R"("tags":[{"a":1},{"b":2}])"), "row row", usual_defaults},
        {"good lines whose contact comes last", "a.jsonl",
         R"({"related":[{"contact_id":"y"}],"contact_id":")" + contact(1) + "\"}\n", "row", usual_defaults},
        {"first line broken, the next ones good", "a.jsonl", broken_first + b + "\n", "invalid_json row row"},
        {"first line broken and alone with a good one", "a.jsonl", broken_first, "invalid_json row"},
        {"first line an open brace, the next ones good", "a.jsonl", "{\n" + a + "\n" + b, "invalid_json row row"},
        {"first line cut within a text", "a.jsonl", "{\"contact_id\":\"66e8\n" + a + "\n", "invalid_json row"},
        {"array of other things first", "a.jsonl", "[\"contact_id\"]\n" + a, "not_an_object row"},
        {"a bracket in a table's header", "a.csv", "[contact_id],x\n", "failure: no contact column"},
        {"NaN", "a.jsonl", json(R"("score":NaN)") + json(""), "invalid_json row", usual_defaults, "",
         "NaN is no value of JSON; write null in its place: convert it with: sed -E"},
        {"words of Python", "a.jsonl", json(R"("won":True)"), "invalid_json", usual_defaults, "", "json.dumps"},
        {"NaN in a note", "a.jsonl", json(R"("note":"NaN, None")"), "row", usual_defaults, "NaN, None"},
        {"MongoDB's id", "a.jsonl", R"({"contact_id":{"$oid":")" + contact(1) + "\"}}", "wrong_type@contact_id",
         usual_defaults, "", "an object of MongoDB's ($oid), not a text; convert it with: jq -c 'walk("},
        {"MongoDB's date", "a.jsonl", json(R"("due_at":{"$date":"2025-02-15T10:00:00Z"})"), "wrong_type@due_at",
         usual_defaults, "", "($date)"},
    };
}

std::vector<real_file> repeated_header_files() {
    const std::string r1 = record(1), r2 = record(2), c = contact(1), o(owner_id);
    const std::string own = "contact_id,user_id\n" + c + "," + o + "\n";
    const auto three = [](source_options& s) {
        usual_defaults(s);
        s.import.skip_lines = 3;
    };
    return {
        {"header again", "a.csv", csv(r1 + "\n" + csv(r2)), "row row", nullptr, "",
         "a header like the first skipped, on line 3"},
        {"header again and again", "a.csv", csv(r1 + "\n" + csv(r2 + "\n" + csv(""))), "row row", nullptr, "",
         "2 headers like the first skipped, the first on line 3"},
        {"header again in quotes and capitals", "a.csv", own + "\"Contact ID\",\"USER_ID\"\n" + contact(2) + "," + o,
         "row row", usual_defaults, "", "on line 3"},
        {"header again with other columns that are not used", "a.csv",
         "contact_id,a\n" + c + ",x\ncontact_id,b\n" + contact(2) + ",y", "row row", usual_defaults, "", "on line 3"},
        {"header again under another name of the field", "a.csv",
         "contact_id,note\n" + c + ",x\ncontact_id,Notes\n" + contact(2) + ",y", "row row", usual_defaults, "x",
         "on line 3"},
        {"internal names below the names", "a.csv",
         "Contact ID,Due Date\ncontact_id,due_at\n" + c + ",2025-02-15T10:00:00Z\n", "row",
         [](source_options& settings) {
             usual_defaults(settings);
             settings.defaults.due_at.clear();
         },
         "", "on line 2"},
        {"header again in another order", "a.csv", own + "user_id,contact_id\n" + o + "," + contact(2) + "\n",
         "failure: a.csv:3: here is another header, \"user_id,contact_id\", where the file began with "
         "\"contact_id,user_id\": two "
         "files were joined; give each as a file of its own",
         usual_defaults},
        {"header again in another order, not used columns among it", "a.csv",
         "contact_id,name\n" + c + ",x\nname,contact_id\ny," + contact(2) + "\n",
         "failure: a.csv:3: here is another header", usual_defaults},
        {"another header with another column for the note", "a.csv",
         "contact_id,note\n" + c + ",x\ncontact_id,remark\n" + contact(2) + ",y",
         "failure: a.csv:3: here is another header", usual_defaults},
        {"another header with more columns", "a.csv", own + "contact_id,user_id,note\n" + contact(2) + "," + o + ",x\n",
         "failure: a.csv:3: here is another header", usual_defaults},
        {"another header with fewer columns", "a.csv", own + "contact_id\n" + contact(2) + "\n",
         "failure: a.csv:3: here is another header", usual_defaults},
        {"header again where ids are of any kind", "a.csv", "contact_id\nC1\ncontact_id\nC2\n", "row row",
         [](source_options& s) {
             usual_defaults(s);
             s.import.id_pattern = "[A-Za-z0-9_]+";
         },
         "", "a header like the first"},
        {"a note that is called note", "a.csv", "contact_id,note\n" + c + ",note\n", "row", usual_defaults, "note"},
        {"a bad id beside a name of ours", "a.csv", "contact_id,note\nx,note\n", "invalid_contact_id@contact_id",
         usual_defaults},
        {"title above the header", "a.csv", "Contacts of May\n\nmade by Jane,,\ncontact_id,note\n" + c + ",x\n",
         "failure: line 4 looks like the header: set import.skip_lines = 3", usual_defaults},
        {"title above the header with a quote in it", "a.csv", "Contacts of \"May\ncontact_id,note\n" + c + ",x\n",
         "failure: line 2 looks like the header: set import.skip_lines = 1", usual_defaults},
        {"title above the header, other delimiter", "a.csv", "Contacts, of May\ncontact_id;note\n" + c + ";x\n",
         "failure: line 2 looks like the header", usual_defaults},
        {"title far above the header", "a.csv", "Contacts\n" + repeated("x\n", 30) + "contact_id,note\n",
         "failure: no contact column", usual_defaults},
        {"lines above the header skipped", "a.csv",
         "Contacts of \"May\n\nmade by Jane,,\ncontact_id,note\n" + c + ",x\n" + "y,z\n",
         "row invalid_contact_id@contact_id", three, "x"},
        {"more lines skipped than there are", "a.csv", "a\nb\n", "failure: there is nothing behind the 3 lines", three},
        {"lines skipped that hold the header", "a.csv", "contact_id,note\n" + c + ",x\n" + c + ",y\n" + c + ",z\n",
         "failure: line 1 looks like the header, and import.skip_lines = 3 skips it; set it to 0", three},
        {"mended rejects of a file with lines above its header", "fix.csv", "contact_id,note,error\n" + c + ",x,old\n",
         "row", three, "x"},
    };
}

std::vector<real_file> time_files() {
    const std::string milli = "1802685600000";  // 2027-02-15T10:00:00Z
    const auto american = [](source_options& o) {
        new_york(o);
        o.dates.formats = {"%m/%d/%Y, %I:%M %p"};
    };
    const auto seconds = [](source_options& o) {
        usual_defaults(o);
        o.dates.formats = {"%s"};
    };
    const auto late = [](source_options& o) {
        usual_defaults(o);
        o.now = *core::parse_rfc3339("2025-06-01T12:00:00Z");
    };
    const auto refused = [](source_options& o) {
        usual_defaults(o);
        o.now = *core::parse_rfc3339("2025-06-01T12:00:00Z");
        o.import.oldest_due = std::chrono::hours(24 * 30);
    };
    std::vector<real_file> files{
        {"milliseconds since 1970", "a.csv", csv(with("due_at", milli)), "row"},
        {"milliseconds since 1970 with a fraction", "a.csv", csv(with("due_at", milli + ".0")), "row"},
        {"HubSpot's milliseconds", "a.csv", pair_of("hs_timestamp", milli), "row", usual_defaults},
        {"milliseconds as a JSON text", "a.jsonl", json("\"due_at\":\"" + milli + "\""), "row", usual_defaults},
        {"milliseconds as a JSON number", "a.jsonl", json("\"due_at\":" + milli) + json("\"due_at\":" + milli),
         "row row", usual_defaults},
        {"milliseconds as a JSON number with a fraction", "a.jsonl", json("\"due_at\":" + milli + ".0"), "row",
         usual_defaults},
        {"seconds as a JSON number under their format", "a.jsonl", json("\"due_at\":1802685600"), "row", seconds},
        {"seconds as a JSON number without a format", "a.jsonl", json("\"due_at\":1802685600"), "invalid_due_at@due_at",
         usual_defaults, "", "looks like seconds since 1970 (2027-02-15T10:00:00Z); name \"%s\" in dates.formats"},
        {"JSON number that is no time", "a.jsonl", json("\"due_at\":1.5"), "wrong_type@due_at", usual_defaults},
        {"negative JSON number", "a.jsonl", json("\"due_at\":-1"), "wrong_type@due_at", usual_defaults},
        {"milliseconds of no sane year", "a.csv", csv(with("due_at", "9802685600000")), "invalid_due_at@due_at",
         nullptr, "", "looks like milliseconds"},
        {"microseconds since 1970", "a.csv", csv(with("due_at", milli + "000")), "invalid_due_at@due_at", nullptr, "",
         "looks like microseconds"},
        {"milliseconds under the format of seconds", "a.csv", pair_of("due_at", milli), "row", seconds},
        {"day number under the format of seconds", "a.csv", pair_of("due_at", "45703"), "invalid_due_at@due_at",
         seconds, "", "looks like a spreadsheet's day number (2025-02-15)"},
        {"day number with a fraction", "a.csv", pair_of("due_at", "45703.4166666667"), "invalid_due_at@due_at",
         usual_defaults, "", "day number (2025-02-15)"},
        {"number that a spreadsheet rounded", "a.csv", pair_of("due_at", "1.80269E+12"), "invalid_due_at@due_at",
         usual_defaults, "", "has rounded"},
        {"UTC by its name", "a.csv", csv(with("due_at", "2027-02-15 10:00:00 UTC")), "row"},
        {"UTC by its name without a blank", "a.csv", csv(with("due_at", "2027-02-15T10:00:00utc")), "row"},
        {"GMT by its name", "a.csv", csv(with("due_at", "2027-02-15 10:00 GMT")), "row"},
        {"Z behind a blank", "a.csv", csv(with("due_at", "2027-02-15 10:00:00 Z")), "row"},
        {"hours of an offset", "a.csv", csv(with("due_at", "2027-02-15 10:00:00+00")), "row"},
        {"offset and the name of UTC", "a.csv", csv(with("due_at", "2027-02-15 10:00:00.5 +0000 UTC")), "row"},
        {"offset against the name of UTC", "a.csv", csv(with("due_at", "2027-02-15 10:00:00 +0100 UTC")),
         "invalid_due_at@due_at"},
        {"name of another zone", "a.csv", csv(with("due_at", "2027-02-15 10:00:00 EST")), "invalid_due_at@due_at"},
        {"narrow no-break space before PM", "a.csv", pair_of("due_at", "\"2/15/2027, 10:00\xE2\x80\xAFPM\""), "row",
         american},
        {"no-break space before PM", "a.csv",
         pair_of("due_at",
                 "\"2/15/2027,\xC2\xA0"
                 "10:00\xC2\xA0PM\""),
         "row", american},
        {"no-break space in a format", "a.csv", pair_of("due_at", "2/15/2027 10:00 PM"), "row",
         [](source_options& o) {
             new_york(o);
             o.dates.formats = {"%m/%d/%Y %I:%M\xE2\x80\xAF%p"};
         }},
        {"no-break space between date and time", "a.csv",
         csv(with("due_at",
                  "2027-02-15\xC2\xA0"
                  "10:00:00Z")),
         "row"},
        {"marks of direction in a date", "a.csv",
         pair_of("due_at",
                 "\xE2\x80\x8E"
                 "2\xE2\x80\x8E/15/2027\xE2\x80\x8E, 10:00 PM"),
         "too_many_columns", american},
        {"marks of direction in a quoted date", "a.csv",
         pair_of("due_at",
                 "\"\xE2\x80\x8E"
                 "2\xE2\x80\x8E/15/2027\xE2\x80\x8E, 10:00 PM\""),
         "row", american},
        {"date that fits no format", "a.csv", pair_of("due_at", "15.02.2027"), "invalid_due_at@due_at", american, "",
         "it fits none of dates.formats: \"%m/%d/%Y, %I:%M %p\""},
        {"scheduled tasks long past are told", "a.csv", csv(with("due_at", "2019-03-01T09:00:00Z") + record(2) + "\n"),
         "row row", late, "",
         "2 scheduled rows due more than a day ago, the first on line 2; the oldest was due 2019-03-01"},
        {"completed tasks may be long past", "a.jsonl",
         json("\"status\":\"completed\",\"due_at\":\"2019-03-01T09:00:00Z\""), "row", refused},
        {"scheduled tasks long past are refused where that is set", "a.csv",
         csv(with("due_at", "2025-05-01T09:00:00Z") + with("due_at", "2025-05-30T09:00:00Z")), "due_at_past@due_at row",
         refused, "", "2025-05-01T09:00:00Z is longer ago than import.oldest_due allows (30d) for a scheduled task"},
        {"scheduled tasks long past of one JSON line", "a.jsonl",
         R"({"contact_ids":[")" + contact(1) + R"("],"due_at":"2019-03-01T09:00:00Z"})", "due_at_past@due_at", refused},
    };
    for (const char* none :
         {"0001-01-01T00:00:00Z", "0001-01-01 00:00:00", "1899-12-30", "1899-12-31T00:00:00Z", "1900-01-00",
          "1900-01-01", "1970-01-01T00:00:00Z", "1970-01-01", "1969-12-31T19:00:00-05:00", "0000-00-00",
          "0000-00-00 00:00:00", "1/0/1900", "00/00/0000", "1753-01-01", "9999-12-31T23:59:59Z", "0"})
        files.push_back({"date that stands for none", "a.csv", csv(with("due_at", none)), "invalid_due_at@due_at",
                         nullptr, "", "that there is no date; empty the cell"});
    return files;
}

// Bytes that zstd's readers skip.
std::string skippable(char kind, const std::string& bytes) {
    return std::string(1, kind) + "\x2A\x4D\x18" + static_cast<char>(bytes.size()) + std::string(3, '\0') + bytes;
}

std::vector<real_file> packed_files() {
    using namespace std::string_literals;
    const std::string plain = csv(record(1));
    const std::string tar =
        "contacts.csv" + std::string(245, '\0') + "ustar\0"s + "00" + std::string(247, '\0') + plain;
    const auto zip_of = [](const std::string& name) {
        return "PK\x03\x04"s + std::string(22, 'x') + static_cast<char>(name.size()) + std::string(3, '\0') + name +
               "bytes";
    };
    return {
        {"zstd behind a skippable frame", "a.csv.zst", skippable('\x50', "\1\2\3\4") + zstandard(plain), "row"},
        {"zstd behind another skippable frame", "a", skippable('\x5F', "") + zstandard(plain), "row"},
        {"zstd between skippable frames", "a.csv.zst",
         skippable('\x5E', "seek") + zstandard(csv(record(1) + "\n")) + skippable('\x50', "x") + zstandard(record(2)) +
             skippable('\x5E', "t"),
         "row row"},
        {"lz4 behind a skippable frame", "a.csv.lz4", skippable('\x50', "x") + "\x04\x22\x4D\x18 and so on",
         "failure: lz4 -dc '"},
        {"zstd of a long window", "a.csv.zst", "\x28\xB5\x2F\xFD\x00\xA8"s + std::string(40, '\0'),
         "failure: window of more than 128 MiB; unpack it with: zstd -dc --long=31 '"},
        {"xz", "a.csv.xz",
         "\xFD"
         "7zXZ\0\0\4"s,
         "failure: is compressed with xz, which is not read; unpack it with: xz -dc '"},
        {"bzip2", "a.csv.bz2", "BZh91AY&SY\x01\x02", "failure: bzip2 -dc '"},
        {"lz4", "a.csv.lz4", "\x04\x22\x4D\x18\x64\x40", "failure: lz4 -dc '"},
        {"lzip", "a.csv.lz", "LZIP\x01\x0C", "failure: lzip -dc '"},
        {"compress", "a.csv.Z",
         "\x1F\x9D\x90"
         "abc",
         "failure: gzip -dc '"},
        {"7z", "a.7z", "7z\xBC\xAF\x27\x1C\0\4"s, "failure: 7z e -so '"},
        {"zlib", "a.csv", "\x78\x9C\xAB\xCD", "failure: pigz -dc '"},
        {"gzip within gzip", "a.csv.gz.gz", gzipped(gzipped(plain)),
         "failure: a.csv.gz.gz' | gzip -dc | taskbarge … -"},
        {"gzip within zstd", "a.csv.zst", zstandard(gzipped(plain)), "failure: zstd -dc '"},
        {"xz within gzip", "a.csv.gz",
         gzipped("\xFD"
                 "7zXZ\0\0\4"s),
         "failure: | xz -dc | taskbarge … -"},
        {"tar", "a.tar", tar, "failure: is an archive (tar) of files; unpack it with: tar -xOf '"},
        {"tar within gzip", "a.tar.gz", gzipped(tar), "failure: tar -xzOf '"},
        {"tar within gzip named as CSV", "a.csv.gz", gzipped(tar), "failure: is an archive (tar) of files"},
        {"zip of a table", "a.zip", zip_of("contacts.csv"),
         "failure: is a zip archive that holds \"contacts.csv\"; unpack it with: unzip -p '"},
        {"zip of a spreadsheet", "a.csv", zip_of("[Content_Types].xml"), "failure: save it as CSV"},
        {"Parquet", "a.parquet", "PAR1\x15\x04", "failure: is a Parquet file, not text; make CSV of it"},
        {"database", "a.db", "SQLite format 3\0"s, "failure: sqlite3 -header -csv '"},
        {"PDF", "a.csv", "%PDF-1.7\n", "failure: is a PDF document"},
        {"web page", "a.csv", "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n",
         "failure: is a web page, not a table: it says \"Sign in\""},
        {"web page in small letters, in gzip", "a.csv.gz", gzipped("\n<html lang=en>"), "failure: is a web page"},
        {"web page as JSON lines", "a.jsonl", "<!doctype html><html></html>", "failure: is a web page"},
        {"a store's error", "a.csv",
         "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
         "failure: is XML, such as a server's error message, not a table: it says \"Access Denied\""},
        {"spreadsheet as XML", "a.csv",
         "<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?>\n<Workbook>",
         "failure: is a spreadsheet as XML"},
        {"table of a web page named as a spreadsheet", "a.xls", "<table><tr><td>contact_id", "failure: is a web page"},
        {"pointer of Git LFS", "a.csv", "version https://git-lfs.github.com/spec/v1\n", "failure: git lfs pull"},
        {"a header that begins like markup", "a.csv", "<contact_id>,note\n", "failure: no contact column"},
        {"a header that begins like bzip2", "a.csv", "BZh,contact_id\nx," + contact(1) + "\n", "row", usual_defaults},
    };
}

std::vector<real_file> spreadsheet_files() {
    const std::string c = contact(1), o(owner_id);
    const auto short_rows = [](source_options& s) {
        usual_defaults(s);
        s.import.short_rows = true;
    };
    return {
        {"formula around an id", "a.csv", "contact_id\n=\"" + c + "\"\n", "row", usual_defaults},
        {"formula around an id in quotes", "a.csv", "contact_id,note\n\"=\"\"" + c + "\"\"\",x\n", "row",
         usual_defaults},
        {"formula around every cell", "a.csv",
         "=\"contact_id\",=\"type\",=\"due_at\"\n=\"" + c + "\",=\"call\",=\"2025-02-15T10:00:00Z\"\n", "row",
         usual_defaults},
        {"formula that is none", "a.csv", "contact_id\n=A1\n", "invalid_contact_id@contact_id", usual_defaults},
        {"notes keep formulas", "a.csv", "contact_id,note\n" + c + ",\"=\"\"x\"\"\"\n", "row", usual_defaults,
         "=\"x\""},
        {"apostrophe before an id", "a.csv", "contact_id\n'" + c + "\n", "row", usual_defaults},
        {"apostrophes around every cell", "a.csv", "contact_id,type\n'" + c + "','call'\n", "row", usual_defaults},
        {"notes keep apostrophes", "a.csv", "contact_id,note\n" + c + ",'tis\n", "row", usual_defaults, "'tis"},
        {"a database's word for none", "a.csv", csv(c + "," + o + ",call,\\N,scheduled,2025-02-15T10:00:00Z,\\N\n"),
         "row"},
        {"NULL for none", "a.csv", "contact_id,user_id,type,due_at\n" + c + ",NULL,NULL,null\n", "row", usual_defaults},
        {"NULL for an owner's address", "a.csv", "contact_id,owner_email\n" + c + ",NULL\n", "row",
         [](source_options& s) {
             owners(s);
             s.defaults.user_id = owner_id;
         }},
        {"NULL for the contact", "a.csv", "contact_id,note\nNULL,x\n", "missing_value@contact_id", usual_defaults},
        {"NULL for the contact where ids are of any kind", "a.csv", "contact_id,note\nNULL,x\n",
         "missing_value@contact_id",
         [](source_options& s) {
             usual_defaults(s);
             s.import.id_pattern = "[A-Za-z0-9]+";
         }},
        {"a note that says NULL", "a.csv", "contact_id,note\n" + c + ",NULL\n", "row", usual_defaults, "NULL"},
        {"none as a JSON text", "a.jsonl", json(R"("type":"NULL","note":"\\N")"), "row", usual_defaults},
        {"cells left out at the end", "a.csv", "contact_id,note,x\n" + c + "\n" + contact(2) + ",hi\n", "row row",
         short_rows},
        {"cells left out without the setting", "a.csv", "contact_id,note,x\n" + c + ",hi\n", "too_few_columns",
         usual_defaults, "", "set import.short_rows = true"},
        {"cells left out that are needed", "a.csv", "contact_id,type\n" + c + "\n", "missing_value@type",
         [](source_options& s) {
             usual_defaults(s);
             s.defaults.type.clear();
             s.import.short_rows = true;
         }},
        {"cells left out, and a quote that joins lines", "a.csv",
         "contact_id,note,x\n" + c + ",\"a\nb\"\n" + contact(2) + ",c,d\n", "stray_quote stray_quote row", short_rows},
        {"cells left out in mended rejects, where the error stands in their place", "fix.csv",
         "contact_id,x,note,error\n" + c + ",y,invalid_type: old\n", "too_few_columns", short_rows},
        {"cells left out in quotes", "a.csv", "contact_id,note,x\n\"" + c + "\",\"a, b\"\n", "row", short_rows, "a, b"},
        {"too many cells all the same", "a.csv", "contact_id,note\n" + c + ",a,b\n", "too_many_columns", short_rows},
        {"delimiter named in quotes", "a.csv", "\"sep=;\"\r\ncontact_id;note\r\n" + c + ";a,b\r\n", "row",
         usual_defaults, "a,b"},
    };
}

std::vector<real_file> all_files() {
    std::vector<real_file> all;
    for (auto part : {line_and_delimiter_files, quote_files, encoding_files, key_files, column_files, cell_files,
                      json_files, empty_row_files, invisible_files, other_json_files, repeated_header_files, time_files,
                      packed_files, spreadsheet_files}) {
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

// The messages of the rejects and the remarks on the files, a line each.
std::string told_of(const reading_outcome& out) {
    std::string all;
    for (const core::rejected_row& r : out.rejects)
        all += r.message + "\n";
    for (const file_report& file : out.files)
        for (const std::string& remark : remarks_on(file))
            all += remark + "\n";
    return all;
}

TEST(RealFiles, EachYieldsWhatItShould) {
    constexpr std::string_view failing = "failure: ";
    const auto files = all_files();
    EXPECT_GE(files.size(), 280u);
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
        if (!f.says.empty()) {
            EXPECT_THAT(told_of(out), ::testing::HasSubstr(f.says)) << f.title;
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
