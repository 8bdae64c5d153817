#include "reader/html_text.hpp"

#include <gumbo.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

// Whoever nests deeper than any note does would have the library's own recursion run out of stack.
constexpr std::size_t most_tags = 5000;
constexpr std::size_t bytes_looked_at_in_vain = 8U << 20U;

constexpr std::array blocks{GUMBO_TAG_ADDRESS, GUMBO_TAG_ARTICLE, GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_BODY,   GUMBO_TAG_DD,
                            GUMBO_TAG_DIV,     GUMBO_TAG_DL,      GUMBO_TAG_DT,         GUMBO_TAG_FOOTER, GUMBO_TAG_H1,
                            GUMBO_TAG_H2,      GUMBO_TAG_H3,      GUMBO_TAG_H4,         GUMBO_TAG_H5,     GUMBO_TAG_H6,
                            GUMBO_TAG_HEADER,  GUMBO_TAG_HR,      GUMBO_TAG_LI,         GUMBO_TAG_OL,     GUMBO_TAG_P,
                            GUMBO_TAG_PRE,     GUMBO_TAG_SECTION, GUMBO_TAG_TR,         GUMBO_TAG_UL};
constexpr std::array unseen{GUMBO_TAG_SCRIPT, GUMBO_TAG_STYLE, GUMBO_TAG_TITLE};

template <std::size_t N>
bool is_among(const std::array<GumboTag, N>& tags, GumboTag tag) {
    return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A tag as it stands in a text.
struct found_tag {
    GumboTag tag = GUMBO_TAG_UNKNOWN;
    bool ends = false;            // </p>
    std::string_view attributes;  // as written
    std::size_t size = 0;         // bytes, from < to >
};

// The tag at the beginning of `text`, which is a <; nothing where no tag of HTML is: "a <b@example.com>", "x <y".
// Looking for ends that are not there takes from `patience`, so that it does not cost the square of the text's size.
std::optional<found_tag> tag_at(std::string_view text, std::size_t& patience) {
    if (patience == 0) return std::nullopt;
    found_tag found;
    std::size_t at = 1;
    if (at < text.size() && text[at] == '/') {
        found.ends = true;
        ++at;
    }
    const std::size_t name = at;
    while (at < text.size() && (is_letter(text[at]) || (at > name && text[at] >= '0' && text[at] <= '9')))
        ++at;
    constexpr std::size_t longest_name = 12;
    if (at == name || at - name > longest_name || at == text.size()) return std::nullopt;
    if (std::string_view(" \t\r\n/>").find(text[at]) == std::string_view::npos) return std::nullopt;
    found.tag = gumbo_tag_enum(std::string(text.substr(name, at - name)).c_str());
    if (found.tag == GUMBO_TAG_UNKNOWN) return std::nullopt;
    const std::size_t attributes = at;
    char quote = '\0';
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if ((c == '"' || c == '\'') && text[at - 1] == '=')
            quote = c;
        else if (c == '>')
            break;
    }
    if (at == text.size()) {
        patience -= std::min(patience, at);
        return std::nullopt;
    }
    found.attributes = text.substr(attributes, at - attributes);
    found.size = at + 1;
    return found;
}

// The address of a link, with its quotes where it has any.
std::string_view href_of(std::string_view attributes) {
    for (std::size_t at = 0; (at = attributes.find('=', at)) != std::string_view::npos; ++at) {
        const auto name = trimmed(attributes.substr(0, at));
        if (name.size() < 4 || lower_case(name.substr(name.size() - 4)) != "href") continue;
        const auto value = attributes.substr(at + 1);
        if (!value.empty() && (value.front() == '"' || value.front() == '\''))
            return value.substr(0, value.find(value.front(), 1) + 1);
        return value.substr(0, value.find_first_of(" \t\r\n"));
    }
    return {};
}

// The same text with those tags alone that make its lines, and of their attributes the addresses of links: whatever
// else there is would cost the parser much and change nothing. Nothing where there are more tags than in any note.
std::optional<std::string> layout_of(std::string_view html) {
    std::string out;
    std::size_t tags = 0, patience = bytes_looked_at_in_vain;
    for (std::size_t at = 0; at < html.size();) {
        const auto open = std::min(html.find('<', at), html.size());
        out.append(html.substr(at, open - at));
        at = open;
        if (at == html.size()) break;
        if (patience > 0 && html.substr(at).starts_with("<!")) {  // a comment, or <!DOCTYPE html>
            const bool comment = html.substr(at).starts_with("<!--");
            const auto end = html.find(comment ? "-->" : ">", at);
            if (end != std::string_view::npos) {
                at = end + (comment ? 3 : 1);
                continue;
            }
            patience -= std::min(patience, html.size() - at);
        }
        const auto found = tag_at(html.substr(at), patience);
        if (!found) {
            out += "&lt;";
            ++at;
            continue;
        }
        at += found->size;
        const bool cell = found->tag == GUMBO_TAG_TD || found->tag == GUMBO_TAG_TH;
        if (cell) out += ' ';
        const GumboTag tag = found->tag == GUMBO_TAG_TR ? GUMBO_TAG_DIV : found->tag;
        const bool kept = is_among(blocks, tag) || is_among(unseen, tag) || tag == GUMBO_TAG_BR || tag == GUMBO_TAG_A;
        if (!kept || tag == GUMBO_TAG_BODY) continue;
        if (++tags > most_tags) return std::nullopt;
        const auto href = tag == GUMBO_TAG_A && !found->ends ? href_of(found->attributes) : std::string_view();
        out.append(found->ends ? "</" : "<").append(gumbo_normalized_tagname(tag));
        if (!href.empty()) out.append(" href=").append(href);
        out += '>';
    }
    return out;
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

bool holds_html(std::string_view text) {
    std::size_t patience = bytes_looked_at_in_vain;
    for (std::size_t at = 0; (at = text.find('<', at)) != std::string_view::npos; ++at)
        if (tag_at(text.substr(at), patience)) return true;
    return false;
}

std::string text_of_html(std::string_view html) {
    const auto layout = layout_of(html);
    if (!layout) return std::string(html);
    GumboOptions options = kGumboDefaultOptions;
    options.max_errors = 0;  // nobody looks at them, and they cost more than all else
    const auto free_tree = [&options](GumboOutput* tree) { gumbo_destroy_output(&options, tree); };
    const std::unique_ptr<GumboOutput, decltype(free_tree)> tree(
        gumbo_parse_with_options(&options, layout->data(), layout->size()), free_tree);
    line_writer out;
    html_walk(out).run(*tree->root);
    return out.take();
}

}  // namespace taskbarge::reader
