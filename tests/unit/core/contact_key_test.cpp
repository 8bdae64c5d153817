#include "taskbarge/core/contact_key.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace taskbarge::core {
namespace {

using ::testing::HasSubstr;

std::string key_or_why(key_kind kind, std::string_view text) {
    const auto key = comparable_key(kind, text);
    if (key) return *key;
    EXPECT_EQ(key.error().code, errc::input) << text;
    EXPECT_EQ(key.error().text.find('\n'), std::string::npos) << text;
    return "no: " + key.error().text;
}

std::string address(std::string_view text) {
    return key_or_why(key_kind::email, text);
}
std::string salesforce(std::string_view text) {
    return key_or_why(key_kind::salesforce_id, text);
}
std::string hubspot(std::string_view text) {
    return key_or_why(key_kind::hubspot_id, text);
}
std::string profile(std::string_view text) {
    return key_or_why(key_kind::linkedin_url, text);
}

TEST(ContactKey, KindsHaveTheNamesOfTheSettings) {
    for (const key_kind kind : all_key_kinds)
        EXPECT_EQ(key_kind_named(to_string(kind)), kind);
    EXPECT_EQ(to_string(key_kind::email), "email");
    EXPECT_EQ(to_string(key_kind::salesforce_id), "salesforce_id");
    EXPECT_EQ(to_string(key_kind::hubspot_id), "hubspot_id");
    EXPECT_EQ(to_string(key_kind::linkedin_url), "linkedin_url");
    EXPECT_EQ(key_kind_named("contact_id"), std::nullopt);
}

TEST(ContactKey, AddressesAreComparedWithoutTheirCaseAndBlanks) {
    EXPECT_EQ(address("dana@example.com"), "dana@example.com");
    EXPECT_EQ(address(" Dana.Reyes@Example.COM \t"), "dana.reyes@example.com");
    EXPECT_EQ(address("\xEF\xBB\xBF\xC2\xA0"
                      "dana@example.com\xE2\x80\x8B"),
              "dana@example.com");
    EXPECT_EQ(address("o'neil_x-1!#$%&*/=?^`{|}~@sub.example.co.uk"), "o'neil_x-1!#$%&*/=?^`{|}~@sub.example.co.uk");
}

TEST(ContactKey, DotsAndPlusTagsTellAddressesApart) {
    EXPECT_EQ(address("d.a.n.a+crm@gmail.com"), "d.a.n.a+crm@gmail.com");
    EXPECT_NE(address("dana@gmail.com"), address("d.ana@gmail.com"));
    EXPECT_NE(address("dana@gmail.com"), address("dana@googlemail.com"));
}

TEST(ContactKey, AddressesAreTakenOutOfLinksAndBrackets) {
    EXPECT_EQ(address("mailto:Dana@example.com"), "dana@example.com");
    EXPECT_EQ(address("MAILTO:dana%2Bcrm@example.com?subject=hello@you"), "dana+crm@example.com");
    EXPECT_EQ(address("Dana Reyes <dana@example.com>"), "dana@example.com");
    EXPECT_EQ(address("\"Reyes, Dana\" < dana@example.com >"), "dana@example.com");
    EXPECT_EQ(address("<mailto:dana@example.com>"), "dana@example.com");
}

TEST(ContactKey, AddressesInOtherLettersHaveOneForm) {
    // The same letters, composed and not.
    EXPECT_EQ(address("Jos\xC3\x89@example.com"), "jos\xC3\xA9@example.com");
    EXPECT_EQ(address("JOSE\xCC\x81@example.com"), "jos\xC3\xA9@example.com");
    EXPECT_EQ(address("dana@M\xC3\x9CNCHEN.de"), "dana@xn--mnchen-3ya.de");
    EXPECT_EQ(address("dana@mu\xCC\x88nchen.de"), "dana@xn--mnchen-3ya.de");
    EXPECT_EQ(address("dana@XN--MNCHEN-3YA.de"), "dana@xn--mnchen-3ya.de");
    // IDNA 2008: a sharp s is a letter of its own.
    EXPECT_EQ(address("dana@stra\xC3\x9F"
                      "e.de"),
              "dana@xn--strae-oqa.de");
    EXPECT_EQ(address("dana@\xE4\xBE\x8B\xE3\x81\x88\xE3\x80\x82\xE3\x83\x86\xE3\x82\xB9\xE3\x83\x88"),
              "dana@xn--r8jz45g.xn--zckzah");
}

TEST(ContactKey, WhatIsNoAddressSaysWhy) {
    for (const auto& [text, why] : std::vector<std::pair<const char*, const char*>>{
             {"", "is empty"},
             {" \xC2\xA0", "is empty"},
             {"dana", "it has no @"},
             {"n/a", "it has no @"},
             {"@example.com", "nothing stands before the @"},
             {"dana@", "nothing stands behind the @"},
             {"dana@example", "no dot"},
             {"dana@example..com", "a dot too many"},
             {"dana@example.com.", "a dot too many"},
             {"dana reyes@example.com", "it has a blank"},
             {"dana@exam ple.com", "it has a blank"},
             {"da\xE2\x80\x8Bna@example.com", "U+200B"},
             {"dana@example.com;sam@example.com", "more than one @"},
             {"a@example.com, b@example.com", "more than one @"},
             {"dana@example.com;", "its domain has a ;"},
             {"dana@exa$mple.com", "its domain has a $"},
             {"(dana)@example.com", "it has a ("},
             {"dana@[127.0.0.1]", "its domain has a ["},
             {"dana@\xE2\x80\xA8.com", "a blank or line break"},
             {"\xFF@example.com", "not UTF-8"},
             {"mailto:%FF@example.com", "not UTF-8"},
         })
        EXPECT_THAT(address(text), ::testing::AllOf(::testing::StartsWith("no: "), HasSubstr(why))) << text;
    EXPECT_THAT(address(std::string(400, 'a') + "@example.com"), HasSubstr("too long"));
    EXPECT_THAT(address("dana@" + std::string(64, 'a') + ".com"), HasSubstr("too long"));
    EXPECT_THAT(address(std::string(5000, 'a')), HasSubstr("too long"));
    EXPECT_EQ(address("dana at example.com"),
              "no: \"dana at example.com\" is no e-mail address: it has no @; write it like dana@example.com");
}

TEST(ContactKey, SalesforceIdsOfBothLengthsAreTheSame) {
    EXPECT_EQ(salesforce("0035e00000AbCdE"), "0035e00000AbCdE");
    EXPECT_EQ(salesforce(" 0035e00000AbCdEAAV "), "0035e00000AbCdE");
    EXPECT_EQ(salesforce("00Q5e00000abcde"), "00Q5e00000abcde");
    EXPECT_NE(salesforce("0035e00000AbCdE"), salesforce("0035e00000abcde"));
    // An example of Salesforce's own.
    EXPECT_EQ(salesforce("003D000000QVAfxIAH"), "003D000000QVAfx");
}

TEST(ContactKey, IdsOfOtherThingsInSalesforceSayWhatTheyAre) {
    for (const auto& [text, why] : std::vector<std::pair<const char*, const char*>>{
             {"0015e00000AbCdE", "an account"},
             {"0055e00000AbCdE", "a user"},
             {"00T5e00000AbCdE", "a task"},
             {"7015e00000AbCdE", "a campaign"},
             {"00v5e00000AbCdE", "a campaign member"},
             {"a0B5e00000AbCdE", "one's own kind"},
             {"0995e00000AbCdE", "no id of a contact or lead"},
             {"00q5e00000abcde", "capitals were lost"},
             {"0035e00000abcdeAAV", "was changed"},
             {"0035e00000AbCdEaav", "was changed"},
             {"0035e00000AbCd", "no id of Salesforce's"},
             {"0035e00000AbCdEAA", "no id of Salesforce's"},
             {"0035e00000AbCd-", "no id of Salesforce's"},
             {"66e8a1b2c3d4e5f6a7b8c9d0", "no id of Salesforce's"},
         })
        EXPECT_THAT(salesforce(text), ::testing::AllOf(::testing::StartsWith("no: "), HasSubstr(why))) << text;
}

TEST(ContactKey, HubspotIdsAreNumbersAsPeopleAndProgramsWriteThem) {
    EXPECT_EQ(hubspot("51"), "51");
    EXPECT_EQ(hubspot(" 0051 "), "51");
    EXPECT_EQ(hubspot("123456789012.0"), "123456789012");
    EXPECT_EQ(hubspot("1234567890123456789"), "1234567890123456789");
    for (const auto& [text, why] : std::vector<std::pair<const char*, const char*>>{
             {"1,234", "digits only"},
             {"1.234", "digits only"},
             {"12.00", "digits only"},
             {".0", "digits only"},
             {"-5", "digits only"},
             {"abc", "digits only"},
             {"1.23457E+11", "was rounded"},
             {"000", "zero"},
             {"12345678901234567890", "longer than 19 digits"},
         })
        EXPECT_THAT(hubspot(text), ::testing::AllOf(::testing::StartsWith("no: "), HasSubstr(why))) << text;
}

TEST(ContactKey, ProfilesAreTheSameInEachFormOfTheirAddress) {
    for (const char* text : {
             "in/dana-reyes-12b",
             "/in/dana-reyes-12b/",
             "linkedin.com/in/Dana-Reyes-12b",
             "www.linkedin.com/in/dana-reyes-12b/",
             "http://www.linkedin.com/in/dana-reyes-12b",
             "https://de.linkedin.com/in/dana-reyes-12b/de",
             "HTTPS://WWW.LinkedIn.com//IN/dana-reyes-12b/details/experience/?trk=public",
             "https://www.linkedin.com/in/dana-reyes-12b?miniProfileUrn=urn%3Ali#about",
             "//m.linkedin.com/in/dana%2Dreyes-12b",
         })
        EXPECT_EQ(profile(text), "in/dana-reyes-12b") << text;
    EXPECT_EQ(profile("linkedin.com/in/Jos%C3%89"), "in/jos\xC3\xA9");
    EXPECT_EQ(profile("linkedin.com/in/jose\xCC\x81"), "in/jos\xC3\xA9");
    for (const auto& [text, why] : std::vector<std::pair<const char*, const char*>>{
             {"dana-reyes", "write it like"},
             {"https://example.com/in/dana", "write it like"},
             {"https://notlinkedin.com/in/dana", "write it like"},
             {"https://www.linkedin.com/sales/lead/ACwAA,NAME", "Sales Navigator"},
             {"https://www.linkedin.com/company/acme", "company's page"},
             {"https://www.linkedin.com/pub/dana-reyes/1/2/3", "old form"},
             {"https://www.linkedin.com/profile/view?id=1", "write it like"},
             {"https://www.linkedin.com/in/", "names nobody"},
             {"https://www.linkedin.com/in/?x=y", "names nobody"},
             {"linkedin.com/in/dana reyes", "what no such name has"},
             {"linkedin.com/in/dana%2Freyes", "what no such name has"},
             {"linkedin.com/in/dana%252Freyes", "what no such name has"},
             {"linkedin.com/in/%FF", "not UTF-8"},
         })
        EXPECT_THAT(profile(text), ::testing::AllOf(::testing::StartsWith("no: "), HasSubstr(why))) << text;
    EXPECT_THAT(profile("in/" + std::string(400, 'a')), HasSubstr("too long"));
}

TEST(ContactKey, TheKeyOfAKeyIsItself) {
    // Pieces that matter to one of the kinds, in any order, and any bytes between.
    const std::vector<std::string> pieces{"a",
                                          "Z",
                                          "0",
                                          "003",
                                          "00Q",
                                          "AbCdE",
                                          "AAV",
                                          "5e00000",
                                          "@",
                                          ".",
                                          "example.com",
                                          "\xC3\x9CX",
                                          "u\xCC\x88",
                                          "\xC3\x9F",
                                          "\xCE\xA3",
                                          "\xC4\xB0",
                                          "\xE2\x84\xAA",
                                          "\xE2\x84\xA6",
                                          "\xC2\xAD",
                                          "\xE2\x80\x8B",
                                          "\xEF\xB8\x8F",
                                          "\xC2\xA0",
                                          " ",
                                          "\n",
                                          "<",
                                          ">",
                                          "mailto:",
                                          "?",
                                          "%",
                                          "%25",
                                          "%40",
                                          "%C3%9C",
                                          "%EF%B8%8F",
                                          "%20",
                                          "in/",
                                          "/",
                                          "linkedin.com/in/",
                                          "https://",
                                          "www.",
                                          ".0",
                                          "-",
                                          "_",
                                          "xn--",
                                          "\xF0\x9F\x98\x80",
                                          "\xEF\xBC\xA0",
                                          "\xE3\x80\x82",
                                          "\xFF",
                                          std::string(1, '\0'),
                                          "\xEA\xB0\x80",
                                          "\xE1\x84\x80\xE1\x85\xA1",
                                          "\xC7\x85",
                                          "+",
                                          ";",
                                          "#"};
    std::mt19937 chance(20261130);
    std::array<std::size_t, key_kind_count> keys{};
    for (int i = 0; i < 60000; ++i) {
        std::string text;
        if (chance() % 4 == 0) text = "in/";
        if (chance() % 4 == 0) text = "x";
        for (std::size_t n = chance() % 8; n > 0; --n)
            text += chance() % 16 == 0 ? std::string(1, static_cast<char>(chance() % 256))
                                       : pieces[chance() % pieces.size()];
        if (chance() % 4 == 0) text += "@example.com";
        for (const key_kind kind : all_key_kinds) {
            const auto key = comparable_key(kind, text);
            if (!key) continue;
            ++keys[static_cast<std::size_t>(kind)];
            const auto again = comparable_key(kind, *key);
            ASSERT_TRUE(again.has_value())
                << to_string(kind) << " of " << text << ": " << *key << ": " << again.error().text;
            ASSERT_EQ(*again, *key) << to_string(kind) << " of " << text;
        }
    }
    EXPECT_GT(keys[static_cast<std::size_t>(key_kind::email)], 1000u);
    EXPECT_GT(keys[static_cast<std::size_t>(key_kind::linkedin_url)], 1000u);
    EXPECT_GT(keys[static_cast<std::size_t>(key_kind::hubspot_id)], 50u);
}

}  // namespace
}  // namespace taskbarge::core
