#include "service/inbox/item_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support.hpp"

namespace taskbarge::service::inbox {
namespace {

namespace fs = std::filesystem;
using core::errc;
using testing::any_number;
using testing::content;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::names;

core::instant at(int second) {
    return *core::parse_rfc3339("2026-11-25T19:01:02Z") + std::chrono::seconds(second);
}

mode_t mode_of(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 07777;
}

struct ItemStore : ::testing::Test {
    explicit ItemStore(testing::temporary_root::place where = testing::temporary_root::place::disk)
        : folder(where), store(open()) {}

    std::unique_ptr<item_store> open() const {
        auto opened = item_store::open(folder.inbox());
        EXPECT_TRUE(opened) << opened.error().text;
        return std::move(*opened);
    }
    held_item take(const std::string& name, int second = 0) const {
        auto taken = store->take(name, at(second));
        EXPECT_TRUE(taken) << taken.error().text;
        EXPECT_TRUE(*taken) << name << " was not taken";
        return std::move(**taken);
    }
    held_item upload_of(const std::string& name, std::string_view bytes, int second = 0) const {
        auto up = store->begin_upload({name, "", at(second), 0, false});
        EXPECT_TRUE(up) << up.error().text;
        EXPECT_TRUE((*up)->write(bytes));
        auto held = (*up)->finish();
        EXPECT_TRUE(held) << held.error().text;
        return std::move(*held);
    }
    std::vector<std::string> ids(item_place place, std::size_t most = 1'000) const {
        std::vector<std::string> out;
        for (const auto& one : *store->list(place, most))
            out.push_back(one.id);
        return out;
    }
    void expect_nothing_incoming() const { EXPECT_THAT(names(folder.inbox(".incoming")), ElementsAre("lock")); }

    testing::temporary_root folder;
    std::unique_ptr<item_store> store;
};

struct ManyItems : ItemStore {
    ManyItems() : ItemStore(testing::temporary_root::place::memory) {}
};

TEST_F(ItemStore, OpenMakesItsFoldersForItselfAlone) {
    EXPECT_EQ(store->root(), folder.inbox());
    for (const char* name : {"", "processing", "done", "failed", ".incoming"})
        EXPECT_EQ(mode_of(folder.inbox(name)), 0700u) << name;
    EXPECT_THAT(names(folder.inbox()), ElementsAre(".incoming", "done", "failed", "processing"));
    EXPECT_THAT(names(folder.inbox("failed")), IsEmpty());
}

TEST_F(ItemStore, DroppedFileBecomesAnItemWithItsSettings) {
    folder.drop("contacts.csv", "a,b\n");
    folder.drop("contacts.csv.toml", "own");
    folder.drop("taskbarge.toml", "folder");
    const auto held = take("contacts.csv");
    const auto& item = held.item();
    EXPECT_EQ(item.id, "contacts.csv.20261125T190102Z.1");
    EXPECT_EQ(item.folder, folder.inbox("processing/" + item.id));
    EXPECT_EQ(item.note, (item_note{"contacts.csv", "inbox", at(0), 0, false}));
    EXPECT_EQ(item.place, item_place::processing);
    EXPECT_EQ(item.job, std::nullopt);
    EXPECT_EQ(item.trouble, "");
    EXPECT_EQ(content(item.input()), "a,b\n");
    ASSERT_EQ(item.settings_files.size(), 2u);
    EXPECT_EQ(content(item.settings_files[0]), "folder");
    EXPECT_EQ(content(item.settings_files[1]), "own");
    EXPECT_THAT(names(folder.inbox()), ElementsAre(".incoming", "done", "failed", "processing", "taskbarge.toml"));
    expect_nothing_incoming();
}

TEST_F(ItemStore, AClaimedItemNeedsNoDescriptorAndIsNobodyElses) {
    folder.drop("a.csv", "a");
    const auto other = open();
    auto held = take("a.csv");
    const auto id = held.item().id;
    ASSERT_TRUE(store->claim(held));
    EXPECT_FALSE(held.is_locked());
    EXPECT_THAT(*other->adopt(any_number), IsEmpty());
    EXPECT_FALSE(other->hold(id).value());
    EXPECT_THAT(*store->adopt(any_number, [&](const std::string& known) { return known == id; }), IsEmpty());
    auto again = store->hold(id).value();
    ASSERT_TRUE(again);
    // Put away it is nobody's.
    ASSERT_TRUE(store->put_away(*again, item_place::failed));
    *again = held_item();
    EXPECT_TRUE(other->hold(id).value());
}

TEST_F(ItemStore, AClaimEndsWithItsProcess) {
    folder.drop("a.csv", "a");
    EXPECT_EQ(testing::in_child([&] {
                  const auto own = item_store::open(folder.inbox());
                  auto held = (*own)->take("a.csv", at(0));
                  return held && *held && (*own)->claim(**held) && store->adopt(any_number)->empty() ? 0 : 1;
              }),
              0);
    EXPECT_EQ(store->adopt(any_number)->size(), 1u);
}

TEST_F(ItemStore, WithoutSettingsBesideItThereAreNone) {
    folder.drop("contacts.csv", "a");
    folder.drop("other.csv.toml", "not mine");
    const auto held = take("contacts.csv");
    EXPECT_THAT(held.item().settings_files, IsEmpty());
    EXPECT_THAT(names(held.item().folder), ElementsAre("contacts.csv", "item.json"));
}

TEST_F(ItemStore, FilesAreForTheServiceAloneWhateverTheUmask) {
    for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
        const auto name = mask == 0 ? "open.csv" : "closed.csv";
        folder.drop(name, "a");
        folder.drop(std::string(name) + ".toml", "own");
        folder.drop("taskbarge.toml", "folder");
        fs::permissions(folder.inbox(name), fs::perms::all);
        const mode_t before = ::umask(mask);
        auto held = take(name);
        EXPECT_TRUE(store->set_job(held, 3, {}));
        EXPECT_TRUE(store->add_file(held, "summary.json", [](int) { return core::result<void>(); }));
        const auto up = upload_of(name, "b");
        ::umask(before);
        for (const auto& file : names(held.item().folder))
            EXPECT_EQ(mode_of(held.item().folder + "/" + file), 0600u);
        EXPECT_EQ(names(held.item().folder).size(), 6u);
        EXPECT_EQ(mode_of(held.item().folder), 0700u);
        EXPECT_EQ(mode_of(up.item().folder), 0700u);
        EXPECT_EQ(mode_of(up.item().input()), 0600u);
    }
}

TEST_F(ItemStore, WhatIsNotThereOrNoRegularFileIsNotTaken) {
    folder.write("elsewhere", "secret");
    fs::create_symlink(folder.path("elsewhere"), folder.inbox("link.csv"));
    fs::create_directory(folder.inbox("folder.csv"));
    ASSERT_EQ(::mkfifo(folder.inbox("fifo.csv").c_str(), 0600), 0);
    for (const char* name : {"none.csv", "link.csv", "folder.csv", "fifo.csv", "processing"}) {
        const auto taken = store->take(name, at(0));
        ASSERT_TRUE(taken) << taken.error().text;
        EXPECT_FALSE(*taken) << name;
    }
    for (const char* name : {"", ".", "..", "../elsewhere", "processing/x", ".hidden", "taskbarge.toml"}) {
        const auto taken = store->take(name, at(0));
        ASSERT_FALSE(taken) << name;
        EXPECT_EQ(taken.error().code, errc::usage);
    }
    EXPECT_TRUE(fs::is_symlink(folder.inbox("link.csv")));
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    expect_nothing_incoming();
}

TEST_F(ItemStore, LinkThatIsPutInPlaceAtTheLastMomentIsGivenBack) {
    folder.drop("a.csv", "a");
    folder.drop("a.csv.toml", "own");
    folder.write("secret", "x");
    testing::at_point("inbox.settings_moved", [&] {
        fs::remove(folder.inbox("a.csv"));
        fs::create_symlink(folder.path("secret"), folder.inbox("a.csv"));
    });
    const auto taken = store->take("a.csv", at(0));
    ASSERT_TRUE(taken) << taken.error().text;
    EXPECT_FALSE(*taken);
    EXPECT_TRUE(fs::is_symlink(folder.inbox("a.csv")));
    EXPECT_EQ(content(folder.inbox("a.csv.toml")), "own");
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    expect_nothing_incoming();
}

TEST_F(ItemStore, FileThatGoesAwayAtTheLastMomentLeavesItsSettings) {
    for (const bool replaced : {false, true}) {
        folder.drop("a.csv", "a");
        folder.drop("a.csv.toml", "own");
        testing::at_point("inbox.settings_moved", [&] {
            fs::remove(folder.inbox("a.csv"));
            if (replaced) folder.drop("a.csv.toml", "newer");
        });
        const auto taken = store->take("a.csv", at(0));
        ASSERT_TRUE(taken) << taken.error().text;
        EXPECT_FALSE(*taken);
        EXPECT_EQ(content(folder.inbox("a.csv.toml")), replaced ? "newer" : "own");
    }
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    expect_nothing_incoming();
}

TEST_F(ItemStore, OneTakerMovesFilesAtATime) {
    for (const char* point : {"inbox.draft_made", "inbox.turn_taken", "inbox.settings_moved", "inbox.input_moved"}) {
        folder.drop("a.csv", "a");
        int another = 0;
        testing::at_point(point, [&] {
            const int fd = ::open(folder.inbox(".incoming/lock").c_str(), O_RDWR | O_CLOEXEC);
            another = ::flock(fd, LOCK_EX | LOCK_NB);
            ::close(fd);
        });
        take("a.csv");
        EXPECT_EQ(another, -1) << point << ": somebody else could have moved its settings";
    }
}

TEST_F(ItemStore, SettingsThatCannotBeUsedKeepTheInputWhereItIs) {
    folder.write("elsewhere.toml", "x");
    for (const char* settings : {"contacts.csv.toml", "taskbarge.toml"}) {
        folder.drop("contacts.csv", "a");
        fs::create_symlink(folder.path("elsewhere.toml"), folder.inbox(settings));
        const auto taken = store->take("contacts.csv", at(0));
        ASSERT_FALSE(taken);
        EXPECT_THAT(taken.error().text, HasSubstr(settings));
        EXPECT_EQ(content(folder.inbox("contacts.csv")), "a");
        fs::remove(folder.inbox(settings));
    }
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    expect_nothing_incoming();
}

TEST_F(ItemStore, NamesThatDoNotFitAreTakenUnderOneThatDoes) {
    folder.drop("results.csv", "a");
    folder.drop("results.csv.toml", "own");
    folder.drop("bad\xFF\n.csv", "b");
    folder.drop("連絡先 1.csv", "c");
    const std::string longest = std::string(240, 'x') + ".csv";
    folder.drop(longest, "d");
    const auto first = take("results.csv"), second = take("bad\xFF\n.csv"), third = take("連絡先 1.csv"),
               fourth = take(longest);
    EXPECT_EQ(first.item().note.name, "input-results.csv");
    EXPECT_EQ(content(first.item().settings_files.at(0)), "own");
    EXPECT_EQ(second.item().note.name, "bad__.csv");
    EXPECT_EQ(third.item().note.name, "連絡先 1.csv");
    EXPECT_EQ(third.item().id, "____1.csv.20261125T190102Z.1");
    EXPECT_EQ(fourth.item().note.name.size(), 200u);
    EXPECT_EQ(content(first.item().input()) + content(second.item().input()) + content(third.item().input()) +
                  content(fourth.item().input()),
              "abcd");
}

TEST_F(ItemStore, SameNameInOneSecondGetsAnotherId) {
    std::vector<held_item> held;
    for (int i = 0; i < 3; ++i) {
        folder.drop("contacts.csv", std::to_string(i));
        held.push_back(take("contacts.csv"));
    }
    EXPECT_EQ(held[2].item().id, "contacts.csv.20261125T190102Z.3");
    ASSERT_TRUE(store->put_away(held[0], item_place::done));
    folder.drop("contacts.csv", "3");
    EXPECT_EQ(take("contacts.csv").item().id, "contacts.csv.20261125T190102Z.4") << "nor one that was put away";
}

TEST_F(ManyItems, TwoStoresTakeEachFileOnce) {
    constexpr int count = 200;
    const auto name = [](int i) { return "f" + std::to_string(i) + ".csv"; };
    for (int i = 0; i < count; ++i) {
        folder.drop(name(i), "input " + std::to_string(i));
        folder.drop(name(i) + ".toml", "settings " + std::to_string(i));
    }
    std::vector<std::vector<held_item>> taken(2);
    std::vector<std::string> failures(2);
    const auto work = [&](std::size_t who) {
        const auto mine = open();
        for (int i = 0; i < count; ++i) {
            auto one = mine->take(name(i), at(0));
            if (!one) {
                failures[who] += one.error().text + "\n";
            } else if (*one) {
                taken[who].push_back(std::move(**one));
            }
        }
    };
    std::thread first(work, 0), second(work, 1);
    first.join();
    second.join();
    EXPECT_THAT(failures, ElementsAre("", ""));
    EXPECT_EQ(taken[0].size() + taken[1].size(), std::size_t{count});
    EXPECT_THAT(names(folder.inbox()), ElementsAre(".incoming", "done", "failed", "processing"));
    std::vector<std::string> inputs;
    for (const auto& list : taken) {
        for (const auto& held : list) {
            inputs.push_back(content(held.item().input()));
            ASSERT_EQ(held.item().settings_files.size(), 1u) << held.item().id;
            EXPECT_EQ(content(held.item().settings_files[0]), "settings " + inputs.back().substr(6));
        }
    }
    std::sort(inputs.begin(), inputs.end());
    EXPECT_EQ(std::unique(inputs.begin(), inputs.end()) - inputs.begin(), count);
    EXPECT_EQ(ids(item_place::processing).size(), std::size_t{count}) << "the loser's folders are removed";
    expect_nothing_incoming();
}

TEST_F(ItemStore, HeldItemsAreAdoptedByNobodyElse) {
    folder.drop("a.csv", "a");
    folder.drop("b.csv", "b");
    const auto other = open();
    {
        const auto a = take("a.csv", 1);
        const auto b = take("b.csv", 0);
        EXPECT_THAT(*other->adopt(any_number), IsEmpty());
        EXPECT_THAT(*store->adopt(any_number), IsEmpty());
    }
    const auto adopted = other->adopt(any_number);
    ASSERT_TRUE(adopted) << adopted.error().text;
    ASSERT_EQ(adopted->size(), 2u);
    EXPECT_EQ((*adopted)[0].item().note.name, "b.csv") << "oldest first";
    EXPECT_EQ((*adopted)[1].item().note, (item_note{"a.csv", "inbox", at(1), 0, false}));
    EXPECT_THAT(*store->adopt(any_number), IsEmpty());
}

TEST_F(ItemStore, OnlySoManyAreAdoptedAndTheOldestFirst) {
    for (int second = 0; second < 5; ++second) {
        folder.drop("a.csv", "a");
        take("a.csv", second);
    }
    const auto other = open();
    const auto two = store->adopt(2).value();
    ASSERT_EQ(two.size(), 2u);
    EXPECT_EQ(two[1].item().note.taken_at, at(1));
    EXPECT_THAT(other->adopt(0).value(), IsEmpty());
    const auto rest = other->adopt(any_number).value();
    ASSERT_EQ(rest.size(), 3u);
    EXPECT_EQ(rest[0].item().note.taken_at, at(2)) << "held ones do not count";
}

TEST_F(ItemStore, ItemsInDoneAreFoundByTheirJobs) {
    for (const core::job_id job : {7, 8, 7, 0}) {
        folder.drop("a.csv", "a");
        auto held = take("a.csv");
        if (job != 0) store->set_job(held, job, {}).value();
        store->put_away(held, item_place::done).value();
    }
    folder.drop("a.csv", "a");
    auto working = take("a.csv");
    store->set_job(working, 7, {}).value();
    folder.drop("b.csv", "b");
    auto broken = take("b.csv");
    store->put_away(broken, item_place::done).value();
    folder.write("new", "no number"), fs::rename(folder.path("new"), broken.item().folder + "/job");
    EXPECT_EQ(store->done_with({7}).value().size(), 2u);
    EXPECT_EQ(store->done_with({7, 8}).value().size(), 3u);
    EXPECT_THAT(store->done_with({9}).value(), IsEmpty());
}

TEST_F(ItemStore, HeldItemThatIsReplacedIsLetGoAtOnce) {
    folder.drop("a.csv", "a");
    folder.drop("b.csv", "b");
    auto held = take("a.csv");
    auto other = take("b.csv");
    held = std::move(other);
    const auto adopted = store->adopt(any_number);
    ASSERT_EQ(adopted->size(), 1u);
    EXPECT_EQ((*adopted)[0].item().note.name, "a.csv");
    EXPECT_EQ(held.item().note.name, "b.csv");
}

TEST_F(ItemStore, JobNumberAndFilesStandBesideTheInput) {
    folder.drop("a.csv", "a");
    auto held = take("a.csv");
    ASSERT_TRUE(store->set_job(held, 42, {}));
    EXPECT_EQ(held.item().job, 42);
    EXPECT_EQ(store->find(held.item().id)->value().job, 42);
    const auto write = [](std::string text) {
        return [text = std::move(text)](int fd) -> core::result<void> {
            EXPECT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
            return {};
        };
    };
    ASSERT_TRUE(store->add_file(held, "results.csv", write("first")));
    ASSERT_TRUE(store->add_file(held, "results.csv", write("second")));
    EXPECT_EQ(content(held.item().folder + "/results.csv"), "second");
    const auto broken = store->add_file(held, "results.csv", [](int fd) -> core::result<void> {
        EXPECT_EQ(::write(fd, "half", 4), 4);
        return core::failure{errc::ledger_full, "no room"};
    });
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, errc::ledger_full);
    EXPECT_EQ(content(held.item().folder + "/results.csv"), "second") << "whole or not at all";
    EXPECT_THAT(names(held.item().folder), ElementsAre("a.csv", "item.json", "job", "results.csv"));
    for (const char* name : {"a.csv", "item.json", "../x", ".x", "", "a/b"})
        EXPECT_FALSE(store->add_file(held, name, write("x"))) << name;
}

TEST_F(ItemStore, PutAwayMovesTheWholeFolder) {
    folder.drop("a.csv", "a");
    folder.drop("a.csv.toml", "own");
    auto held = take("a.csv");
    const auto id = held.item().id;
    ASSERT_TRUE(store->put_away(held, item_place::failed));
    EXPECT_EQ(held.item().place, item_place::failed);
    EXPECT_EQ(held.item().folder, folder.inbox("failed/" + id));
    EXPECT_EQ(content(held.item().input()), "a");
    EXPECT_EQ(content(held.item().settings_files.at(0)), "own");
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    EXPECT_EQ(store->find(id)->value().place, item_place::failed);
    ASSERT_TRUE(store->add_file(held, "error.txt", [](int) { return core::result<void>(); })) << "still held";
    ASSERT_TRUE(store->put_away(held, item_place::failed));
    EXPECT_EQ(held.item().id, id);
    ASSERT_TRUE(store->put_away(held, item_place::processing)) << "and back, to be tried again";
    EXPECT_THAT(*store->adopt(any_number), IsEmpty());
}

TEST_F(ItemStore, PutAwayNeverReplacesAnotherItem) {
    folder.drop("a.csv", "a");
    auto held = take("a.csv");
    const auto id = held.item().id;
    fs::create_directory(folder.inbox("done/" + id));
    folder.drop("done/" + id + "/precious", "x");
    ASSERT_TRUE(store->put_away(held, item_place::done));
    EXPECT_EQ(held.item().id, "a.csv.20261125T190102Z.2");
    EXPECT_EQ(content(folder.inbox("done/" + id + "/precious")), "x");
}

TEST_F(ItemStore, PutAwayMakesAPlaceThatWasRemoved) {
    folder.drop("a.csv", "a");
    auto held = take("a.csv");
    fs::remove(folder.inbox("done"));
    const auto ok = store->put_away(held, item_place::done);
    EXPECT_TRUE(ok) << ok.error().text;
}

TEST_F(ItemStore, UploadBecomesAnItemWhenItIsFinished) {
    auto up = store->begin_upload({"контакты.csv", "somewhere", at(0), 10, true});
    ASSERT_TRUE(up) << up.error().text;
    EXPECT_TRUE((*up)->write("a,b\n"));
    EXPECT_TRUE((*up)->write("1,2\n"));
    EXPECT_EQ((*up)->bytes(), 8u);
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    EXPECT_THAT(*store->adopt(any_number), IsEmpty());
    const auto held = (*up)->finish();
    ASSERT_TRUE(held) << held.error().text;
    EXPECT_EQ(held->item().note, (item_note{"контакты.csv", "upload", at(0), 10, true}));
    EXPECT_EQ(content(held->item().input()), "a,b\n1,2\n");
    EXPECT_THAT(held->item().settings_files, IsEmpty());
    EXPECT_FALSE((*up)->finish());
    EXPECT_FALSE((*up)->write("x"));
    up->reset();
    EXPECT_EQ(content(held->item().input()), "a,b\n1,2\n");
    EXPECT_THAT(*store->adopt(any_number), IsEmpty());
    expect_nothing_incoming();
}

TEST_F(ItemStore, UploadThatIsNotFinishedVanishes) {
    auto up = store->begin_upload({"a.csv", "", at(0), 0, false});
    ASSERT_TRUE((*up)->write("a"));
    EXPECT_EQ(names(folder.inbox(".incoming")).size(), 2u);
    const auto other = open();
    EXPECT_EQ(names(folder.inbox(".incoming")).size(), 2u) << "not while its process lives";
    up->reset();
    expect_nothing_incoming();
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
}

TEST_F(ManyItems, UploadsOfOneNameAtOnceAllBecomeItems) {
    constexpr int count = 50;
    std::vector<std::string> failures(4);
    const auto work = [&](std::size_t who) {
        for (int i = 0; i < count; ++i) {
            auto up = store->begin_upload({"a.csv", "", at(0), 0, false});
            const auto ok = up ? (*up)->write("x") : core::result<void>(up.error());
            const auto held = ok ? (*up)->finish() : core::result<held_item>(ok.error());
            if (!held) failures[who] += held.error().text + "\n";
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t who = 0; who < failures.size(); ++who)
        threads.emplace_back(work, who);
    for (auto& thread : threads)
        thread.join();
    EXPECT_THAT(failures, ElementsAre("", "", "", ""));
    EXPECT_EQ(ids(item_place::processing).size(), 4u * count);
}

TEST_F(ItemStore, UploadsWithoutAUsableNameAreRefused) {
    for (const char* name : {"", "..", "a/b", ".x", "item.json", "\xFF"}) {
        const auto up = store->begin_upload({name, "", at(0), 0, false});
        ASSERT_FALSE(up) << name;
        EXPECT_EQ(up.error().code, errc::usage);
    }
    expect_nothing_incoming();
}

TEST_F(ItemStore, FileIsTakenByItsPathAndStaysWhereItIs) {
    fs::create_directory(folder.path("shared"));
    const std::string big(3'000'000, 'x');
    folder.write("shared/a.csv", big);
    const auto held = store->take_path(folder.path("shared/a.csv"), {folder.path("shared")}, {"", "", at(0), 5, true});
    ASSERT_TRUE(held) << held.error().text;
    EXPECT_EQ(held->item().note, (item_note{"a.csv", "path", at(0), 5, true}));
    EXPECT_EQ(content(held->item().input()), big);
    EXPECT_EQ(content(folder.path("shared/a.csv")), big);
    const auto renamed =
        store->take_path(folder.path("shared/a.csv"), {folder.path("shared")}, {"other.csv", "", at(0), 0, false});
    EXPECT_EQ(renamed->item().note.name, "other.csv");
    expect_nothing_incoming();
}

TEST_F(ItemStore, PathsOutsideOrOfNoFileAreRefused) {
    fs::create_directory(folder.path("shared"));
    folder.write("secret", "x");
    fs::create_symlink(folder.path("secret"), folder.path("shared/link"));
    const auto code = [&](const std::string& path) {
        const auto held = store->take_path(path, {folder.path("shared")}, {"", "", at(0), 0, false});
        EXPECT_FALSE(held) << path;
        return held ? errc::internal : held.error().code;
    };
    EXPECT_EQ(code(folder.path("secret")), errc::usage);
    EXPECT_EQ(code(folder.path("shared/../secret")), errc::usage);
    EXPECT_EQ(code(folder.path("shared/link")), errc::usage);
    EXPECT_EQ(code(folder.path("shared/none")), errc::input);
    EXPECT_EQ(code("/dev/zero"), errc::usage);
    expect_nothing_incoming();
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
}

TEST_F(ItemStore, FilesOfUnknownLengthAreCopiedToTheirEnd) {
    const auto held = store->take_path("/proc/self/status", {"/proc/self"}, {"", "", at(0), 0, false});
    ASSERT_TRUE(held) << held.error().text;
    EXPECT_THAT(content(held->item().input()), HasSubstr("Pid:"));
}

TEST_F(ItemStore, ListGivesTheNewestOldestFirst) {
    for (int i = 0; i < 5; ++i)
        upload_of("z" + std::to_string(9 - i) + ".csv", "x", i);
    EXPECT_THAT(ids(item_place::processing, 2), ElementsAre("z6.csv.20261125T190105Z.1", "z5.csv.20261125T190106Z.1"));
    EXPECT_EQ(ids(item_place::processing, 5).front(), "z9.csv.20261125T190102Z.1");
    EXPECT_THAT(ids(item_place::processing, 0), IsEmpty());
    EXPECT_THAT(ids(item_place::done), IsEmpty());
}

TEST_F(ItemStore, ForeignThingsInThePlacesAreLeftAlone) {
    folder.drop("processing/file", "x");
    folder.drop("processing/a.csv.20261125T190102Z.1", "a file with the name of an item");
    fs::create_directory(folder.inbox("processing/folder"));
    fs::create_symlink("/", folder.inbox("processing/b.csv.20261125T190102Z.1"));
    fs::create_directory(folder.inbox(".incoming/somebody's"));
    folder.drop(".incoming/somebody's/file", "x");
    const auto other = open();
    EXPECT_THAT(ids(item_place::processing), IsEmpty());
    EXPECT_THAT(*other->adopt(any_number), IsEmpty());
    EXPECT_EQ(names(folder.inbox("processing")).size(), 4u);
    EXPECT_EQ(content(folder.inbox(".incoming/somebody's/file")), "x");
    EXPECT_EQ(*store->find("a.csv.20261125T190102Z.1"), std::nullopt);
    folder.drop("a.csv", "a");
    EXPECT_EQ(take("a.csv").item().id, "a.csv.20261125T190102Z.2");
}

TEST_F(ItemStore, BrokenNoteIsToldAndItsItemCanBePutAway) {
    const auto break_note = [&](const std::string& name, const std::string& note) {
        const auto held = upload_of(name, "x");
        fs::remove(held.item().folder + "/item.json");
        if (!note.empty()) folder.write("new", note), fs::rename(folder.path("new"), held.item().folder + "/item.json");
        return held.item().id;
    };
    const auto half = break_note("half.csv", "{\"name\":\"ha"), none = break_note("none.csv", "");
    {
        auto planned = upload_of("planned.csv", "x");
        EXPECT_TRUE(store->add_file(planned, "job", [](int fd) -> core::result<void> {
            EXPECT_EQ(::write(fd, "4x", 2), 2);
            return {};
        }));
    }
    const auto good = upload_of("good.csv", "x");
    for (const auto& one : *store->list(item_place::processing, 10))
        EXPECT_EQ(one.trouble.empty(), one.note.name == "good.csv") << one.id;
    EXPECT_THAT(store->find(half)->value().trouble, HasSubstr("item.json"));
    EXPECT_EQ(store->find(half)->value().note.name, "half.csv") << "as far as it can be guessed";
    auto adopted = store->adopt(any_number);
    ASSERT_TRUE(adopted) << adopted.error().text;
    ASSERT_EQ(adopted->size(), 3u);
    for (auto& held : *adopted) {
        EXPECT_NE(held.item().trouble, "");
        EXPECT_TRUE(store->put_away(held, item_place::failed));
        EXPECT_EQ(content(held.item().input()), "x");
    }
    EXPECT_THAT(ids(item_place::processing), ElementsAre(good.item().id));
}

TEST_F(ItemStore, ItemWhoseInputWasRemovedIsToldOrGone) {
    const auto lost = upload_of("lost.csv", "x").item();
    auto planned = upload_of("planned.csv", "x");
    ASSERT_TRUE(store->set_job(planned, 7, {}));
    const auto with_results = upload_of("with.csv", "x").item();
    folder.write("inbox/processing/" + with_results.id + "/notes.txt", "somebody's");
    for (const auto& input : {lost.input(), planned.item().input(), with_results.input()})
        fs::remove(input);
    planned = held_item();
    const auto adopted = store->adopt(any_number);
    ASSERT_TRUE(adopted) << adopted.error().text;
    ASSERT_EQ(adopted->size(), 2u);
    EXPECT_EQ((*adopted)[0].item().job, 7) << "a planned job needs its input no more";
    EXPECT_EQ((*adopted)[0].item().trouble, "");
    EXPECT_THAT((*adopted)[1].item().trouble, HasSubstr("with.csv"));
    EXPECT_EQ(*store->find(lost.id), std::nullopt);
}

TEST_F(ItemStore, FailedItemCanBeHeldAgainToBeTriedAgain) {
    std::string id;
    {
        auto held = upload_of("a.csv", "x");
        id = held.item().id;
        ASSERT_TRUE(store->set_job(held, 7, {}));
        EXPECT_EQ(store->hold(id)->has_value(), false) << "it is held";
        ASSERT_TRUE(store->put_away(held, item_place::failed));
    }
    auto again = store->hold(id);
    ASSERT_TRUE(again && *again);
    EXPECT_EQ((*again)->item().place, item_place::failed);
    EXPECT_FALSE(*open()->hold(id));
    ASSERT_TRUE(store->put_away(**again, item_place::processing));
    EXPECT_EQ((*again)->item().job, 7);
    EXPECT_EQ(store->find(id)->value().place, item_place::processing);
    EXPECT_FALSE(*store->hold("none.csv.20261125T190102Z.1"));
    EXPECT_FALSE(store->hold(".."));
}

TEST_F(ItemStore, TooManyOpenFilesAreNoFaultOfTheItems) {
    const auto id = upload_of("a.csv", "x").item().id;
    EXPECT_EQ(testing::in_child([&] {
                  const rlimit none{0, 0};
                  if (::setrlimit(RLIMIT_NOFILE, &none) != 0) return 1;
                  const auto listed = store->list(item_place::processing, 9);
                  const auto found = store->find(id);
                  const auto adopted = store->adopt(any_number);
                  if (listed || found || adopted) return 2;
                  return listed.error().code == errc::io && found.error().code == errc::io ? 0 : 3;
              }),
              0);
}

TEST_F(ItemStore, FindRefusesWhatIsNoId) {
    using namespace std::string_literals;
    for (const auto& id : {""s, ".."s, "../failed"s, "a/b.20261125T190102Z.1"s, "a\0.20261125T190102Z.1"s, "lock"s}) {
        const auto found = store->find(id);
        ASSERT_FALSE(found) << id;
        EXPECT_EQ(found.error().code, errc::usage);
    }
    EXPECT_EQ(*store->find("a.csv.20261125T190102Z.1"), std::nullopt);
}

TEST_F(ManyItems, TwoThousandAreListedAndTheNewestOfThem) {
    constexpr int count = 2'000;
    for (int i = 0; i < count; ++i) {
        const auto id = "f" + std::to_string(i) + ".csv.20261125T190102Z.1";
        fs::create_directory(folder.inbox("processing/" + id));
        folder.drop(
            "processing/" + id + "/item.json",
            R"({"name":"a.csv","origin":"upload","taken_at":"2026-11-25T19:01:02Z","first_rows":0,"again":false})");
        folder.drop("processing/" + id + "/a.csv", "x");
    }
    EXPECT_EQ(ids(item_place::processing, count).size(), std::size_t{count});
    EXPECT_EQ(ids(item_place::processing, 50).size(), 50u);
}

TEST_F(ItemStore, RootThatCannotBeUsedIsASettingToMend) {
    folder.write("file", "x");
    fs::create_directories(folder.path("linked"));
    fs::create_symlink(folder.path(), folder.path("linked/done"));
    for (const auto& root : {folder.path("file"), folder.path("file/inbox"), folder.path("linked"), std::string("/"),
                             std::string(), std::string("/proc/none")}) {
        const auto opened = item_store::open(root);
        ASSERT_FALSE(opened) << root;
        EXPECT_EQ(opened.error().code, errc::settings);
        EXPECT_THAT(opened.error().text, HasSubstr("serve.inbox"));
    }
}

TEST_F(ItemStore, PartsMountedFromElsewhereAreRefused) {
    const auto code = testing::in_child([&] {
        return testing::on_small_disk(folder.inbox("done"), [&] {
            const auto opened = item_store::open(folder.inbox());
            if (opened) return 1;
            std::fputs(opened.error().text.c_str(), stderr);
            return opened.error().text.find("mount the inbox as a whole") != std::string::npos ? 0 : 2;
        });
    });
    if (code == testing::no_mounts) {
        std::puts("no file system may be mounted here: only links are shown to be refused");
    } else {
        EXPECT_EQ(code, 0);
    }
    EXPECT_TRUE(item_store::open(folder.inbox())) << "without the mount it is as it was";
}

}  // namespace
}  // namespace taskbarge::service::inbox
