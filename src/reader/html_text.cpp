#include "reader/html_text.hpp"

#include <libxml/HTMLparser.h>

#include <algorithm>
#include <array>
#include <memory>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::array<std::string_view, 24> blocks{
    "address", "article", "blockquote", "body", "dd", "div", "dl", "dt",  "footer",  "h1", "h2", "h3",
    "h4",      "h5",      "h6",         "hr",   "li", "ol",  "p",  "pre", "section", "tr", "ul", "header"};
constexpr std::array<std::string_view, 4> unseen{"head", "script", "style", "title"};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string_view view_of(const xmlChar* text) {
    return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
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

    // Without recursion: the depth is the writer's of the HTML.
    void run(const xmlNode* root) {
        const xmlNode* at = root;
        while (at) {
            const bool into = enter(*at) && at->children;
            if (into) {
                at = at->children;
                continue;
            }
            leave(*at);
            while (at != root && !at->next) {
                at = at->parent;
                leave(*at);
            }
            if (at == root) return;
            at = at->next;
        }
    }

 private:
    // Whether what stands within is looked at.
    bool enter(const xmlNode& node) {
        if (node.type == XML_TEXT_NODE || node.type == XML_CDATA_SECTION_NODE) out_.add(view_of(node.content));
        if (node.type != XML_ELEMENT_NODE) return node.type == XML_HTML_DOCUMENT_NODE;
        const auto name = view_of(node.name);
        if (is_among(unseen, name)) return false;
        if (name == "br") out_.break_line();
        if (is_among(blocks, name)) out_.begin_line();
        if (name == "li") out_.begin_item();
        if (name == "td" || name == "th") out_.add(" ");
        if (name == "a") link_begins_ = out_.size();
        return true;
    }

    void leave(const xmlNode& node) {
        if (node.type != XML_ELEMENT_NODE) return;
        const auto name = view_of(node.name);
        if (is_among(blocks, name)) out_.begin_line();
        if (name == "a") add_address(node);
    }

    void add_address(const xmlNode& link) {
        const std::unique_ptr<xmlChar, void (*)(void*)> address(
            xmlGetProp(&link, reinterpret_cast<const xmlChar*>("href")), xmlFree);
        const auto href = view_of(address.get());
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
    constexpr int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET;
    const std::unique_ptr<xmlDoc, void (*)(xmlDoc*)> document(
        htmlReadMemory(html.data(), static_cast<int>(html.size()), nullptr, "UTF-8", options), xmlFreeDoc);
    // Nothing in it, or no memory for it: the text as it stands is better than none.
    if (!document) return std::string(html);
    line_writer out;
    html_walk(out).run(reinterpret_cast<const xmlNode*>(document.get()));
    auto text = out.take();
    // A sign that begins a tag and is none.
    return text.empty() && html.find('>') == std::string_view::npos ? std::string(trimmed(html)) : text;
}

}  // namespace taskbarge::reader
