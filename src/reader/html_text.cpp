#include "reader/html_text.hpp"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// Whoever nests deeper than any note does would have the library's own recursion run out of stack.
constexpr std::ptrdiff_t most_tags = 5000;

constexpr std::array blocks{GUMBO_TAG_ADDRESS, GUMBO_TAG_ARTICLE, GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_BODY,   GUMBO_TAG_DD,
                            GUMBO_TAG_DIV,     GUMBO_TAG_DL,      GUMBO_TAG_DT,         GUMBO_TAG_FOOTER, GUMBO_TAG_H1,
                            GUMBO_TAG_H2,      GUMBO_TAG_H3,      GUMBO_TAG_H4,         GUMBO_TAG_H5,     GUMBO_TAG_H6,
                            GUMBO_TAG_HEADER,  GUMBO_TAG_HR,      GUMBO_TAG_LI,         GUMBO_TAG_OL,     GUMBO_TAG_P,
                            GUMBO_TAG_PRE,     GUMBO_TAG_SECTION, GUMBO_TAG_TR,         GUMBO_TAG_UL};
constexpr std::array unseen{GUMBO_TAG_HEAD, GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_TITLE};

template <std::size_t N>
bool is_among(const std::array<GumboTag, N>& tags, GumboTag tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// Lines of words, with one blank between two words.
class line_writer {
 public:
    void add(std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool no_break = text.substr(i).starts_with("\xC2\xA0");
            if (no_break || text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
                blank_ = true;
                i += no_break ? 1 : 0;
                continue;
            }
            if (blank_ && !out_.empty() && out_.back() != '\n') out_ += ' ';
            blank_ = item_begins_ = false;
            out_ += text[i];
        }
    }
    void begin_line() {
        if (item_begins_) return;  // a paragraph within an entry of a list
        blank_ = false;
        if (!out_.empty() && out_.back() != '\n') out_ += '\n';
    }
    void begin_item() {
        begin_line();
        add("- ");
        item_begins_ = true;
    }
    void break_line() {
        blank_ = false;
        out_ += '\n';
    }
    std::size_t size() const { return out_.size(); }
    std::string_view since(std::size_t from) const {
        return std::string_view(out_).substr(std::min(from, out_.size()));
    }
    std::string take() {
        const auto first = out_.find_first_not_of('\n');
        if (first == std::string::npos) return {};
        return out_.substr(first, out_.find_last_not_of('\n') + 1 - first);
    }

 private:
    std::string out_;
    bool blank_ = false;
    bool item_begins_ = false;
};

class html_walk {
 public:
    explicit html_walk(line_writer& out) : out_(out) {}

    void run(const GumboNode& root) {
        const GumboNode* at = &root;
        for (;;) {
            if (enter(*at) && at->v.element.children.length > 0) {
                at = static_cast<const GumboNode*>(at->v.element.children.data[0]);
                continue;
            }
            leave(*at);
            while (at != &root && next_of(*at) == nullptr) {
                at = at->parent;
                leave(*at);
            }
            if (at == &root) return;
            at = next_of(*at);
        }
    }

 private:
    static const GumboNode* next_of(const GumboNode& node) {
        const GumboVector& siblings = node.parent->v.element.children;
        const auto next = node.index_within_parent + 1;
        return next < siblings.length ? static_cast<const GumboNode*>(siblings.data[next]) : nullptr;
    }

    // Whether what stands within is looked at.
    bool enter(const GumboNode& node) {
        if (node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_WHITESPACE || node.type == GUMBO_NODE_CDATA)
            out_.add(node.v.text.text);
        if (node.type != GUMBO_NODE_ELEMENT) return false;
        const GumboTag tag = node.v.element.tag;
        if (is_among(unseen, tag)) return false;
        if (tag == GUMBO_TAG_BR) out_.break_line();
        if (is_among(blocks, tag)) out_.begin_line();
        if (tag == GUMBO_TAG_LI) out_.begin_item();
        if (tag == GUMBO_TAG_TD || tag == GUMBO_TAG_TH) out_.add(" ");
        if (tag == GUMBO_TAG_A) link_begins_ = out_.size();
        return true;
    }

    void leave(const GumboNode& node) {
        if (node.type != GUMBO_NODE_ELEMENT) return;
        if (is_among(blocks, node.v.element.tag)) out_.begin_line();
        if (node.v.element.tag == GUMBO_TAG_A) add_address(node);
    }

    void add_address(const GumboNode& link) {
        const GumboAttribute* const attribute = gumbo_get_attribute(&link.v.element.attributes, "href");
        const std::string_view href = attribute ? attribute->value : "";
        const auto shown = trimmed(out_.since(link_begins_));
        const auto bare = href.starts_with("mailto:") ? href.substr(7) : href;
        if (href.empty() || href.starts_with('#') || shown == href || shown == bare) return;
        out_.add(shown.empty() ? "" : " (");
        out_.add(bare);
        out_.add(shown.empty() ? "" : ")");
    }

    line_writer& out_;
    std::size_t link_begins_ = 0;
};

}  // namespace

std::string text_of_html(std::string_view html) {
    if (std::count(html.begin(), html.end(), '<') > most_tags) return std::string(html);
    const auto free_tree = [](GumboOutput* tree) { gumbo_destroy_output(&kGumboDefaultOptions, tree); };
    const std::unique_ptr<GumboOutput, decltype(free_tree)> tree(
        gumbo_parse_with_options(&kGumboDefaultOptions, html.data(), html.size()), free_tree);
    line_writer out;
    html_walk(out).run(*tree->root);
    auto text = out.take();
    // A sign that begins a tag and is none.
    return text.empty() && html.find('>') == std::string_view::npos ? std::string(trimmed(html)) : text;
}

}  // namespace taskbarge::reader
