// What fast-cpp-csv-parser alone needs for a file of `contacts`: every field of every row is touched, nothing else is
// done.
//
//     bare_csv FILE
#define CSV_IO_NO_THREAD
#include <libfccp/csv.h>

#include <cstdint>
#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("bare_csv FILE\n", stderr), 64;
    io::CSVReader<9, io::trim_chars<' ', '\t'>, io::double_quote_escape<',', '"'>> in(argv[1]);
    in.read_header(io::ignore_no_column, "contact_id", "name", "company", "user_id", "type", "priority", "status",
                   "due_at", "note");
    char *contact_id, *name, *company, *user_id, *type, *priority, *status, *due_at, *note;
    std::uint64_t rows = 0, sum = 0;
    while (in.read_row(contact_id, name, company, user_id, type, priority, status, due_at, note)) {
        ++rows;
        for (const char* const field : {contact_id, name, company, user_id, type, priority, status, due_at, note})
            sum += static_cast<unsigned char>(*field);
    }
    std::printf("%llu rows, %llu\n", static_cast<unsigned long long>(rows), static_cast<unsigned long long>(sum));
}
