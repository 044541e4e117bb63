package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Reason says why a request is refused.
type Reason int

// The reasons, in the order in which they are looked for.
const (
	Missing      Reason = iota + 1 // no signature at all
	Incomplete                     // a signature that lacks a part or that cannot be read
	WrongScope                     // made for another date, region or service
	UnknownKey                     // no credentials with that access key, or another session token
	Skewed                         // signed at an instant too far from the service's clock
	BadSignature                   // made with another secret, or of another request
	ExpiredToken                   // of credentials that are no longer valid
)

// Error is why a request is refused.
type Error struct {
	Reason  Reason
	Message string // as AWS words it
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Credentials are a key pair that a service knows.
type Credentials struct {
	AccessKey string
	Secret    string
	Session   string    // the session token that must come with it; empty: none
	Expires   time.Time // when the session ends; zero: never
}

// Verifier checks signatures against credentials.
type Verifier struct {
	Credentials []Credentials
	Region      string        // that the scope must name; empty: any
	Skew        time.Duration // how far the instant of signing may be from now; 0: 5 minutes
}

// algorithm is the only one of version 4 with symmetric keys.
const algorithm = "AWS4-HMAC-SHA256"

// stamp is the layout of X-Amz-Date.
const stamp = "20060102T150405Z"

// Scope is what the signature of a request was made for.
type Scope struct {
	AccessKey, Date, Region, Service string
}

// authorization is an Authorization header in parts.
type authorization struct {
	Scope
	signed    []string // names of headers, lower case
	signature string
}

// ScopeOf reads the scope from the Authorization header, without checking
// anything. A service uses it to tell whom a request is for.
func ScopeOf(r *http.Request) (Scope, bool) {
	a, err := readAuthorization(r)
	if err != nil {
		return Scope{}, false
	}
	return a.Scope, true
}

func readAuthorization(r *http.Request) (authorization, *Error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return authorization{}, &Error{Missing, "Missing Authentication Token"}
	}
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return authorization{}, &Error{Incomplete, "Unsupported AWS 'algorithm': '" + firstWord(header) + "'"}
	}
	parts := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return authorization{}, &Error{Incomplete, "'" + part + "' not a valid key=value pair (missing equal-sign) in Authorization header: '" + header + "'."}
		}
		parts[key] = value
	}
	for _, key := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[key] == "" {
			return authorization{}, &Error{Incomplete, "Authorization header requires '" + key + "' parameter. Authorization=" + header}
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return authorization{}, &Error{Incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + parts["Credential"] + "'"}
	}
	return authorization{
		Scope:     Scope{scope[0], scope[1], scope[2], scope[3]},
		signed:    strings.Split(parts["SignedHeaders"], ";"),
		signature: parts["Signature"],
	}, nil
}

func firstWord(text string) string {
	word, _, _ := strings.Cut(text, " ")
	return word
}

// Verify returns the credentials that a request with the given body was signed
// with, or an *Error.
func (v *Verifier) Verify(r *http.Request, body []byte, now time.Time) (Credentials, error) {
	a, refused := readAuthorization(r)
	if refused != nil {
		return Credentials{}, refused
	}
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(stamp, date)
	if err != nil {
		return Credentials{}, &Error{Incomplete, "Date must be in ISO-8601 'basic format'. Got '" + date + "'. See http://en.wikipedia.org/wiki/ISO_8601"}
	}
	if !slices.Contains(a.signed, "host") {
		return Credentials{}, &Error{Incomplete, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	}
	if date[:8] != a.Date {
		return Credentials{}, &Error{WrongScope, fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", a.Date, date[:8], date)}
	}
	if v.Region != "" && a.Region != v.Region {
		return Credentials{}, &Error{WrongScope, "Credential should be scoped to a valid region. "}
	}
	i := slices.IndexFunc(v.Credentials, func(c Credentials) bool { return c.AccessKey == a.AccessKey })
	if i < 0 {
		return Credentials{}, &Error{UnknownKey, "The security token included in the request is invalid."}
	}
	c := v.Credentials[i]
	if r.Header.Get("X-Amz-Security-Token") != c.Session {
		return Credentials{}, &Error{UnknownKey, "The security token included in the request is invalid."}
	}
	skew := v.Skew
	if skew == 0 {
		skew = 5 * time.Minute
	}
	switch early, late := now.Add(-skew), now.Add(skew); {
	case at.Before(early):
		return Credentials{}, &Error{Skewed, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %g min.)", date, early.UTC().Format(stamp), now.UTC().Format(stamp), skew.Minutes())}
	case at.After(late):
		return Credentials{}, &Error{Skewed, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + %g min.)", date, late.UTC().Format(stamp), now.UTC().Format(stamp), skew.Minutes())}
	}
	want := signature(c.Secret, a.Scope, date, canonicalRequest(r, a.signed, body))
	if !hmac.Equal([]byte(want), []byte(a.signature)) {
		return Credentials{}, &Error{BadSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	}
	if !c.Expires.IsZero() && !now.Before(c.Expires) {
		return Credentials{}, &Error{ExpiredToken, "The security token included in the request is expired"}
	}
	return c, nil
}

// signature returns the signature, in hexadecimal, of a canonical request.
func signature(secret string, s Scope, date, canonical string) string {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, "aws4_request"} {
		key = mac(key, part)
	}
	text := strings.Join([]string{algorithm, date, s.Date + "/" + s.Region + "/" + s.Service + "/aws4_request", digest([]byte(canonical))}, "\n")
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
