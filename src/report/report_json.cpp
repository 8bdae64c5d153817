#include "taskbarge/report/report_json.hpp"

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::report {

using core::json_list;
using core::json_object;

namespace {

void add_details(json_object& o, const core::task_details& d) {
    o.text("user_id", d.user_id);
    o.text("type", core::to_string(d.type));
    o.text("priority", core::to_string(d.priority));
    o.text("status", core::to_string(d.status));
    o.text("due_at", core::to_rfc3339(d.due_at));
    o.text("note", d.note);
}

std::string groups_json(const std::vector<job::group_line>& groups) {
    return json_list(groups, [](std::string& out, const job::group_line& g) {
        json_object o(out);
        o.number("rows", g.rows);
        o.number("requests", g.requests);
        add_details(o, g.details);
        o.close();
    });
}

std::string samples_json(const std::vector<job::sample_line>& rows) {
    return json_list(rows, [](std::string& out, const job::sample_line& row) {
        json_object o(out);
        o.number("row", row.number);
        o.text("contact_id", row.contact_id);
        add_details(o, row.details);
        o.close();
    });
}

std::string rejects_json(const std::vector<job::reject_line>& rejects, const std::vector<reader::file_report>& files) {
    return json_list(rejects, [&files](std::string& out, const job::reject_line& r) {
        json_object o(out);
        o.text("code", r.code);
        o.number("rows", r.rows);
        o.number("example_row", r.example.number);
        o.text("example_file", r.example.at.file < files.size() ? files[r.example.at.file].name : std::string());
        o.number("example_line", r.example.at.line);
        o.text("example_column", r.example.column);
        o.text("example_message", r.example.message);
        o.close();
    });
}

std::string sizes_json(const std::vector<job::plan_report::group_size>& sizes) {
    return json_list(sizes, [](std::string& out, const job::plan_report::group_size& s) {
        json_object o(out);
        o.number("from", s.from);
        o.number("to", s.to);
        o.number("groups", s.groups);
        o.number("rows", s.rows);
        o.number("requests", s.requests);
        o.close();
    });
}

std::string splitters_json(const std::vector<job::plan_report::splitter>& splitters) {
    return json_list(splitters, [](std::string& out, const job::plan_report::splitter& s) {
        json_object o(out);
        o.text("field", s.field);
        o.number("distinct", s.distinct);
        o.number("requests_without", s.requests_without);
        o.number("rows_differing", s.rows_differing);
        o.time_or_null("expected_end", s.expected_end);
        o.close();
    });
}

std::string unknown_words_json(const std::vector<reader::unknown_word>& words) {
    return json_list(words, [](std::string& out, const reader::unknown_word& w) {
        json_object o(out);
        o.text("field", w.field);
        o.text("word", w.word);
        o.number("rows", w.rows);
        o.close();
    });
}

std::string repeats_json(const job::plan_report::repeat& r) {
    std::string out;
    json_object o(out);
    o.number("job", static_cast<std::uint64_t>(r.job));
    o.number("contacts", r.contacts);
    o.number("of", r.of);
    o.text("due_at", core::to_rfc3339(r.due_at));
    o.close();
    return out;
}

std::string tally_json(const job::contact_tally& t) {
    std::string out;
    json_object o(out);
    o.number("found", t.found);
    std::string by;
    json_object kinds(by);
    for (const auto kind : core::all_key_kinds)
        kinds.number(core::to_string(kind), t.found_by[static_cast<std::size_t>(kind)]);
    kinds.close();
    o.raw("found_by", by);
    o.number("not_found", t.none);
    o.number("ambiguous", t.ambiguous);
    o.number("disagree", t.disagree);
    o.number("unknown", t.unknown);
    o.number("not_created", t.not_created);
    o.number("to_create", t.to_create);
    o.close();
    return out;
}

std::string finding_json(const job::plan_report::finding& f) {
    std::string out;
    json_object o(out);
    o.text("how", f.how);
    o.number("requests", f.requests);
    o.time_or_null("expected_end", f.expected_end);
    o.close();
    return out;
}

// What a person's commands tell beside that.
void add_job(json_object& o, const job::report& r) {
    o.raw("files", json_list(r.files, [](std::string& out, const reader::file_report& file) {
              core::append_json_string(out, file.name);
          }));
    o.time_or_null("created_at", r.created_at);
    o.time_or_null("finished_at", r.finished_at);
    o.raw("reasons", reasons_json(r.reasons));
}

}  // namespace

std::string contacts_json(const job::contacts_status& s) {
    std::string out;
    json_object o(out);
    o.number("known", s.contacts);
    o.truth("complete", s.index.complete());
    o.text_or_null("gap", s.index.gap);
    o.number("total", s.index.total);
    o.number("unseen", s.index.unseen);
    o.time_or_null("read_at", s.index.read_at);
    o.time_or_null("as_of", s.index.as_of);
    if (s.pages_left)
        o.number("requests_left", *s.pages_left);
    else
        o.null("requests_left");
    o.close();
    return out;
}

std::string reasons_json(const std::vector<ledger::reason_count>& reasons) {
    return json_list(reasons, [](std::string& list, const ledger::reason_count& r) {
        json_object one(list);
        one.text("state", core::to_string(r.state));
        one.text("code", r.code);
        one.number("rows", r.rows);
        one.number("example_row", r.example_row);
        one.text("example_message", r.example_message);
        one.close();
    });
}

std::string fields_json(const std::vector<reader::mapped_column>& fields) {
    return json_list(fields, [](std::string& list, const reader::mapped_column& field) {
        json_object one(list);
        one.text("field", field.field);
        one.text_or_null("column", field.column);
        one.text("source", field.source);
        one.close();
    });
}

void add_report(json_object& o, const job::report& r, const std::string& ledger_path, exit_code code) {
    o.job_or_null("job", r.job);
    o.text("state", to_string(r.state.value_or(state_of(code))));
    core::add_counts(o, r.rows);
    o.number("groups", r.requests.groups);
    o.number("minimum_requests", r.requests.minimum_requests);
    o.number("requests", r.requests.requests);
    o.number("retries", r.requests.retries);
    o.number("rate_limited", r.requests.rate_limited);
    o.number("requests_this_run", r.requests_this_run);
    o.seconds("elapsed_seconds", r.elapsed.count());
    o.text_or_null("ledger", ledger_path);
    o.time_or_null("resume_at", r.resume_at);
    o.raw("unfinished_jobs",
          json_list(r.unfinished_jobs, [](std::string& out, core::job_id id) { out += std::to_string(id); }));
    o.time_or_null("pruned_at", r.pruned_at);
    o.number("exit_code", static_cast<std::uint64_t>(code));
    o.text_or_null("error_code", r.why ? core::to_string(r.why->code) : "");
    o.text_or_null("error", r.why ? r.why->text : "");
}

std::string report_json(const job::report& r, const std::string& ledger_path, exit_code code) {
    std::string out;
    json_object o(out);
    add_report(o, r, ledger_path, code);
    add_job(o, r);
    o.close();
    return out + '\n';
}

std::string plan_json(const job::plan_report& p, const std::string& ledger_path, exit_code code) {
    std::string out;
    json_object o(out);
    add_report(o, p.base, ledger_path, code);
    add_job(o, p.base);
    o.time_or_null("expected_end", p.expected_end);
    o.number("search_requests", p.search_requests);
    o.time_or_null("expected_end_with_search", p.expected_end_with_search);
    o.raw("first_rows", samples_json(p.first_rows));
    o.raw("largest_groups", groups_json(p.largest_groups));
    o.raw("group_sizes", sizes_json(p.group_sizes));
    o.raw("rejects", rejects_json(p.rejects, p.base.files));
    o.raw("unknown_words", unknown_words_json(p.unknown_words));
    o.raw("splitters", splitters_json(p.splitters));
    o.raw("repeats", p.repeats ? repeats_json(*p.repeats) : "null");
    o.raw("contacts", tally_json(p.base.contacts));
    o.raw("contacts_to_find", p.contacts_to_find ? finding_json(*p.contacts_to_find) : "null");
    o.close();
    return out + '\n';
}

std::string reports_json(const std::vector<job::report>& reports, const std::string& ledger_path, exit_code code) {
    std::string out;
    json_object o(out);
    const auto sum = sum_of(reports, code);
    add_report(o, sum, ledger_path, code);
    add_job(o, sum);
    o.raw("jobs", json_list(reports, [&](std::string& list, const job::report& r) {
              json_object one(list);
              add_report(one, r, ledger_path, exit_code_of(r));
              add_job(one, r);
              one.close();
          }));
    o.close();
    return out + '\n';
}

job::report sum_of(const std::vector<job::report>& reports, exit_code code) {
    job::report sum;
    for (const auto& r : reports) {
        sum.rows += r.rows;
        sum.requests += r.requests;
        sum.requests_this_run += r.requests_this_run;
        sum.elapsed += r.elapsed;
        if (r.resume_at && (!sum.resume_at || *r.resume_at < *sum.resume_at)) sum.resume_at = r.resume_at;
        if (r.job && r.state != job::report_state::completed) sum.unfinished_jobs.push_back(*r.job);
        if (r.why && !sum.why && exit_code_of(r) == code) sum.why = r.why;
    }
    sum.state = state_of(code);
    return sum;
}

}  // namespace taskbarge::report
