package sigv4

import (
	"net/http"
	"slices"
	"strings"
)

// canonicalRequest returns the text that is signed: method, path, query,
// headers, their names and the digest of the body, on lines of their own.
func canonicalRequest(r *http.Request, signed []string, body []byte) string {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	var b strings.Builder
	b.WriteString(r.Method + "\n" + encode(path, "/") + "\n" + canonicalQuery(query) + "\n")
	for _, name := range signed {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signed, ";") + "\n" + digest(body))
	return b.String()
}

// canonicalQuery sorts the parameters of a query by name, then by value, each
// encoded in the one way that the signature knows.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var pairs [][2]string
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{encode(decode(name), ""), encode(decode(value), "")})
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	list := make([]string, len(pairs))
	for i, p := range pairs {
		list[i] = p[0] + "=" + p[1]
	}
	return strings.Join(list, "&")
}

// canonicalHeader returns the values of a header, trimmed, runs of blanks made
// one.
func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	if name == "host" {
		values = []string{r.Host}
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.FieldsFunc(v, func(c rune) bool { return c == ' ' || c == '\t' }), " ")
	}
	// net/http takes the length of the body out of the headers.
	if name == "content-length" && len(values) == 0 {
		return r.Header.Get("Content-Length")
	}
	return strings.Join(trimmed, ",")
}

// encode writes every byte but letters, digits, "-._~" and those kept as %XY.
func encode(text, keep string) string {
	const hexDigits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
	}
	return b.String()
}

// decode reads %XY; a percent sign before anything else stands for itself.
func decode(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			high, low := strings.IndexByte(hexAny, text[i+1]), strings.IndexByte(hexAny, text[i+2])
			if high >= 0 && low >= 0 {
				b.WriteByte(byte(nibble(high)<<4 | nibble(low)))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

const hexAny = "0123456789abcdefABCDEF"

func nibble(i int) int {
	if i >= 16 {
		return i - 6
	}
	return i
}
