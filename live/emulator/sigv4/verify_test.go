package sigv4

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The key pair, instant and scope of the examples that AWS published with the
// signature.
var (
	example = Credentials{AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	instant = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
)

// read makes a request out of what a client sends.
func read(t *testing.T, wire string) (*http.Request, []byte) {
	t.Helper()
	head, body, _ := strings.Cut(wire, "\n\n")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	return r, []byte(body)
}

// The signatures are those of the example of the IAM User Guide ("Create a
// signed request", ListUsers) and of the Signature Version 4 Test Suite.
func TestPublishedExamples(t *testing.T) {
	for name, c := range map[string]struct{ request, service, signed, signature string }{
		"ListUsers": {
			"GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\nHost: iam.amazonaws.com\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\nX-Amz-Date: 20150830T123600Z",
			"iam", "content-type;host;x-amz-date", "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
		"get-vanilla": {
			"GET / HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"post-vanilla": {
			"POST / HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		"get-vanilla-query-order-key-case": {
			"GET /?Param2=value2&Param1=value1 HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"get-vanilla-query-unreserved": {
			"GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		"get-unreserved": {
			"GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		"get-utf8": {
			"GET /ሴ HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z",
			"service", "host;x-amz-date", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		"get-header-value-trim": {
			"GET / HTTP/1.1\nHost: example.amazonaws.com\nMy-Header1: value1\nMy-Header2:  \"a   b   c\"\nX-Amz-Date: 20150830T123600Z",
			"service", "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		"get-header-key-duplicate": {
			"GET / HTTP/1.1\nHost: example.amazonaws.com\nMy-Header1: value2\nMy-Header1: value2\nMy-Header1: value1\nX-Amz-Date: 20150830T123600Z",
			"service", "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		"post-x-www-form-urlencoded": {
			"POST / HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z\n\nParam1=value1",
			"service", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	} {
		r, body := read(t, c.request)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/"+c.service+"/aws4_request, SignedHeaders="+c.signed+", Signature="+c.signature)
		v := Verifier{Credentials: []Credentials{example}}
		if got, err := v.Verify(r, body, instant); err != nil || got.AccessKey != example.AccessKey {
			t.Errorf("%s: %v\ncanonical request:\n%s", name, err, canonicalRequest(r, strings.Split(c.signed, ";"), body))
		}
	}
}

// The digest that the same guide gives for its canonical request.
func TestCanonicalRequest(t *testing.T) {
	r, body := read(t, "GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\nHost: iam.amazonaws.com\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\nX-Amz-Date: 20150830T123600Z")
	if got := digest([]byte(canonicalRequest(r, []string{"content-type", "host", "x-amz-date"}, body))); got != "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59" {
		t.Errorf("digest of the canonical request is %s", got)
	}
}

func TestRefusals(t *testing.T) {
	const valid = "GET / HTTP/1.1\nHost: example.amazonaws.com\nX-Amz-Date: 20150830T123600Z\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	changed := func(old, new string) string { return strings.Replace(valid, old, new, 1) }
	for name, c := range map[string]struct {
		request string
		v       Verifier
		now     time.Time
		reason  Reason
		message string
	}{
		"no signature":       {request: strings.Split(valid, "\nAuth")[0], reason: Missing, message: "Missing Authentication Token"},
		"another algorithm":  {request: changed("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), reason: Incomplete, message: "algorithm"},
		"no signed headers":  {request: changed("SignedHeaders=host;x-amz-date, ", ""), reason: Incomplete, message: "'SignedHeaders'"},
		"a broken scope":     {request: changed("/aws4_request", ""), reason: Incomplete, message: "5 slash-delimited"},
		"no date":            {request: changed("20150830T123600Z", "yesterday"), reason: Incomplete, message: "yesterday"},
		"host not signed":    {request: changed("=host;", "="), reason: Incomplete, message: "'Host'"},
		"another day":        {request: changed("/20150830/", "/20150831/"), reason: WrongScope, message: "'20150831' != '20150830'"},
		"another region":     {request: valid, v: Verifier{Region: "eu-west-1"}, reason: WrongScope, message: "region"},
		"an unknown key":     {request: changed("AKIDEXAMPLE", "AKIDOTHER"), reason: UnknownKey, message: "invalid"},
		"a token too many":   {request: changed("\nAuth", "\nX-Amz-Security-Token: t\nAuth"), reason: UnknownKey, message: "invalid"},
		"a token too few":    {request: valid, v: Verifier{Credentials: []Credentials{{AccessKey: "AKIDEXAMPLE", Secret: example.Secret, Session: "t"}}}, reason: UnknownKey, message: "invalid"},
		"a slow clock":       {request: valid, now: instant.Add(6 * time.Minute), reason: Skewed, message: "Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T124200Z - 5 min.)"},
		"a fast clock":       {request: valid, now: instant.Add(-6 * time.Minute), reason: Skewed, message: "Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T123000Z + 5 min.)"},
		"another secret":     {request: valid, v: Verifier{Credentials: []Credentials{{AccessKey: "AKIDEXAMPLE", Secret: "x"}}}, reason: BadSignature, message: "does not match"},
		"another path":       {request: changed("GET / ", "GET /x "), reason: BadSignature, message: "does not match"},
		"another method":     {request: changed("GET", "POST"), reason: BadSignature, message: "does not match"},
		"another query":      {request: changed("GET / ", "GET /?a "), reason: BadSignature, message: "does not match"},
		"another body":       {request: valid + "\n\nx", reason: BadSignature, message: "does not match"},
		"another host":       {request: changed("example.", "other."), reason: BadSignature, message: "does not match"},
		"an expired session": {request: valid, v: Verifier{Credentials: []Credentials{{AccessKey: "AKIDEXAMPLE", Secret: example.Secret, Expires: instant}}}, reason: ExpiredToken, message: "expired"},
	} {
		if c.v.Credentials == nil {
			c.v.Credentials = []Credentials{example}
		}
		if c.now.IsZero() {
			c.now = instant
		}
		r, body := read(t, c.request)
		_, err := c.v.Verify(r, body, c.now)
		var refused *Error
		if !errors.As(err, &refused) || refused.Reason != c.reason || !strings.Contains(refused.Message, c.message) {
			t.Errorf("%s: %v, want reason %d and %q", name, err, c.reason, c.message)
		}
	}
}

func TestScopeOf(t *testing.T) {
	r, _ := read(t, "GET / HTTP/1.1\nHost: h\nAuthorization: AWS4-HMAC-SHA256 Credential=K/20150830/us-east-1/states/aws4_request, SignedHeaders=host, Signature=0")
	if s, ok := ScopeOf(r); !ok || s != (Scope{"K", "20150830", "us-east-1", "states"}) {
		t.Errorf("scope %+v, %v", s, ok)
	}
	if _, ok := ScopeOf(&http.Request{Header: http.Header{}}); ok {
		t.Error("a scope without a signature")
	}
}

// Whatever a request looks like, it is refused or accepted, and never accepted
// without the secret.
func FuzzVerify(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: h\r\nX-Amz-Date: 20150830T123600Z\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n\r\n")
	f.Add("POST /%%a?%zz=%4&= HTTP/1.1\r\nHost: h\r\nAuthorization: AWS4-HMAC-SHA256 a=b,c\r\n\r\nbody")
	f.Fuzz(func(t *testing.T, wire string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
		if err != nil {
			return
		}
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		v := Verifier{Credentials: []Credentials{{AccessKey: "AKIDEXAMPLE", Secret: "a secret that no input holds"}}}
		if _, err := v.Verify(r, bytes.Clone(body), instant); err == nil {
			t.Errorf("accepted %q", wire)
		}
	})
}
