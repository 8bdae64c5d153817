#include "sandbox/contact_maker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sandbox/seeded.hpp"
#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace chrono = std::chrono;

namespace {

using syllables = std::array<std::string_view, 16>;
constexpr syllables beginnings{"Ma", "Be", "Ka", "Lo", "Ri", "Sa", "Ni", "Jo",
                               "El", "An", "Da", "Vi", "Te", "Mi", "Or", "Pe"};
constexpr syllables middles{"ri", "la", "no", "mi", "ra", "si", "be", "do",
                            "lo", "na", "vi", "ta", "ke", "li", "mo", "re"};
constexpr syllables endings{"na", "l", "n", "s", "a", "o", "ra", "th", "k", "ne", "ta", "li", "no", "re", "m", "sha"};
constexpr std::array<std::string_view, 4> family_endings{"son", "berg", "ski", "er"};
constexpr std::array<std::string_view, 8> trades{"Labs",   "Logistics", "Foods", "Software",
                                                 "Motors", "Partners",  "Media", "Energy"};
constexpr std::array<std::string_view, 8> posts{
    "VP of Sales", "Director of Marketing", "Head of Operations", "Account Executive",
    "Founder",     "Procurement Manager",   "Chief of Staff",     "Sales Engineer"};

constexpr std::array<made_stage, stages_made> stages{{{"6095a710bd01d100a506d4ae", "New", "in_progress"},
                                                      {"6095a710bd01d100a506d4af", "Approaching", "in_progress"},
                                                      {"6095a710bd01d100a506d4b0", "Replied", "in_progress"},
                                                      {"6095a710bd01d100a506d4b1", "Interested", "succeeded"},
                                                      {"6095a710bd01d100a506d4b2", "Not Interested", "failed"},
                                                      {"6095a710bd01d100a506d4b3", "Unresponsive", "failed"},
                                                      {"6095a710bd01d100a506d4b4", "Bad Data", "failed"},
                                                      {"6095a710bd01d100a506d4b5", "Changed Job", "failed"}}};
constexpr std::array<made_label, labels_made> labels{{{"6660862c078cf0038abedb60", "Conference 2024"},
                                                      {"6660862c078cf0038abedb61", "Newsletter"},
                                                      {"6660862c078cf0038abedb62", "Webinar attendees"},
                                                      {"6660862c078cf0038abedb63", "Partners"},
                                                      {"6660862c078cf0038abedb64", "Customers"},
                                                      {"6660862c078cf0038abedb65", "Trade fair Leipzig"}}};

constexpr std::uint64_t company_size = 20;
constexpr std::uint64_t import_size = 250;  // some imports are longer than a page

// What is drawn for one contact, by purpose.
enum draw : std::uint64_t { of_person = 1, of_company, of_import, of_times, of_ids, of_addresses, of_labels, of_pair };

std::string given_name(std::uint64_t n) {
    return fmt::format("{}{}{}", beginnings[n % 16], middles[n / 16 % 16], endings[n / 256 % 16]);
}

std::string family_name(std::uint64_t n) {
    return fmt::format("{}{}{}{}", beginnings[n % 16], middles[n / 16 % 16], middles[n / 256 % 16],
                       family_endings[n / 4096 % 4]);
}

// Different for different companies: the first 32,768 are a permutation, later ones have a number.
std::string company_name(std::uint64_t seed, std::uint64_t company) {
    const std::uint64_t n = (company * 20503 + mix(seed)) % 32768;
    const std::uint64_t round = company / 32768;
    return fmt::format("{}{}{}{}{}", beginnings[n % 16], middles[n / 16 % 16], middles[n / 256 % 16],
                       endings[n / 4096 % 8], round > 0 ? std::to_string(round + 1) : "");
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return text;
}

constexpr std::string_view sixty_two = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// 15 characters, of which the last six count: ids that differ only in the case of a letter are common.
std::string salesforce_15(std::string_view prefix, std::uint64_t number) {
    std::string id(prefix);
    id += "5g00000";
    id.resize(15, '0');
    for (std::size_t i = 15; i > 9; --i) {
        id[i - 1] = sixty_two[number % 62];
        number /= 62;
    }
    return id;
}

// The last three characters say which of the 15 are capitals.
std::string salesforce_18(std::string id) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    for (std::size_t part = 0; part < 3; ++part) {
        std::size_t capitals = 0;
        for (std::size_t i = 0; i < 5; ++i) {
            const char c = id[part * 5 + i];
            if (c >= 'A' && c <= 'Z') capitals |= std::size_t{1} << i;
        }
        id.push_back(digits[capitals]);
    }
    return id;
}

struct person {
    std::string first, last, company, slug;
};

person person_of(std::uint64_t seed, std::uint64_t number) {
    const std::uint64_t company = number / company_size;
    const std::uint64_t at = number % company_size;
    person p;
    // Nobody shares a first name with a colleague, so no two have one address.
    p.first = given_name(mix(mix(seed, of_person), company) + at * 1237);
    p.last = family_name(mix(mix(seed, of_person), number + 1));
    p.company = company_name(seed, company);
    p.slug = lower(p.company);
    return p;
}

bool chance(std::uint64_t mixed, double percent) {
    return share(mixed) * 100 < percent;
}

constexpr core::instant beginning = chrono::sys_days(chrono::year(2021) / 1 / 4);
constexpr chrono::milliseconds span = chrono::days(1700);

void set_times(stored_contact& c, std::uint64_t seed, std::uint64_t number) {
    const auto within = [](std::uint64_t mixed) {
        return chrono::milliseconds(static_cast<std::int64_t>(mixed % static_cast<std::uint64_t>(span.count())));
    };
    const std::uint64_t import = mix(mix(seed, of_import), number / import_size);
    const std::uint64_t own = mix(mix(seed, of_times), number);
    c.created_at = beginning + within(mix(import % 10 < 6 ? import : own));
    c.updated_at = c.created_at;
    if (own % 5 > 0) c.updated_at += within(mix(own, 1)) % chrono::milliseconds(chrono::days(120));
    if (own % 7 > 3) c.last_activity_at = c.updated_at - within(mix(own, 2)) % chrono::milliseconds(chrono::days(30));
}

}  // namespace

const made_stage& stage_made(std::size_t number) {
    return stages[number];
}
const made_label& label_made(std::size_t number) {
    return labels[number];
}

std::string contact_id_for(core::instant created_at, std::uint64_t mixed) {
    const auto seconds = chrono::floor<chrono::seconds>(created_at).time_since_epoch().count();
    return fmt::format("{:08x}{:016x}", static_cast<std::uint32_t>(seconds), mixed);
}

std::string contact_maker::address_of(std::uint64_t number) const {
    const person p = person_of(seed_, number);
    const std::string local = p.first + "." + p.last;
    const bool as_typed = mix(mix(seed_, of_addresses), number) % 32 == 0;  // a few are not in lower case
    return fmt::format("{}@{}.example", as_typed ? local : lower(local), p.slug);
}

stored_contact contact_maker::make(std::uint64_t number) const {
    const person p = person_of(seed_, number);
    const std::uint64_t company = number / company_size;
    const std::uint64_t h = mix(mix(seed_, of_ids), number);
    const std::uint64_t of_its_company = mix(mix(seed_, of_company), company);
    stored_contact c;
    set_times(c, seed_, number);
    c.id = contact_id_for(c.created_at, h);
    c.first_name = p.first;
    c.last_name = p.last;
    c.title = posts[h % posts.size()];
    c.organization_name = fmt::format("{} {}", p.company, trades[of_its_company % trades.size()]);

    // Only the second of two is like the first, so no chain of likenesses breaks.
    const bool alike = number % 2 == 1 && chance(mix(mix(seed_, of_pair), number), alike_percent_);
    c.email = address_of(alike ? number - 1 : number);
    c.email_status = h / 8 % 10 < 8 ? "verified" : "unverified";
    const std::uint64_t addresses = mix(mix(seed_, of_addresses), number + 1) % 100;
    if (addresses < 15) c.other_emails.push_back(lower(fmt::format("{}.{}@home.example", p.last, number)));
    if (addresses < 4) c.other_emails.push_back(lower(fmt::format("{}{}@{}.test", p.first, number, p.slug)));

    const std::string contact_15 = salesforce_15("003", number);
    c.salesforce_contact_id = salesforce_18(contact_15);
    if (number % 4 == 0) c.salesforce_id = contact_15;
    if (number % 4 > 1) c.salesforce_id = c.salesforce_contact_id;
    if (number % 10 == 7) c.salesforce_lead_id = salesforce_18(salesforce_15("00Q", number));
    c.salesforce_account_id = salesforce_18(salesforce_15("001", company));
    c.hubspot_vid = std::to_string(1'000'001 + number * 37);
    c.hubspot_company_id = std::to_string(5'000'001 + company * 11);
    c.linkedin_url = lower(fmt::format("http://www.linkedin.com/in/{}-{}-{:x}", p.first, p.last, number));
    if (h % 10 > 0) c.person_id = contact_id_for(beginning, mix(h, 1));
    c.account_id = contact_id_for(beginning, of_its_company);
    c.owner_id = user_id(h / 16 % 6);

    if (const std::uint64_t stage = h / 128 % 10; stage < stages_made) c.contact_stage_id = stages[stage].id;
    const std::uint64_t listed = mix(mix(seed_, of_labels), number);
    if (listed % 10 < 5) c.label_ids.emplace_back(labels[listed / 16 % labels_made].id);
    if (listed % 10 < 2) c.label_ids.emplace_back(labels[(listed / 16 + 1) % labels_made].id);
    return c;
}

}  // namespace taskbarge::sandbox
