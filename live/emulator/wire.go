package emulator

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// protocol is how a service writes requests, replies and errors.
type protocol int

const (
	restJSON protocol = iota
	json10
	json11
	query
)

// request is a request that was understood.
type request struct {
	context.Context // of the connection
	id              string
	path            map[string]string // wildcards of the path
	query           url.Values
	header          http.Header
	body            []byte
	now             time.Time // when it arrived
}

// read parses the body, which is JSON, into a struct.
func (r *request) read(into any) error {
	if len(r.body) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		return &apiError{Code: "SerializationException", Status: http.StatusBadRequest, Message: err.Error()}
	}
	return nil
}

// reply is what a service answers.
type reply struct {
	status int // 0: 200
	header http.Header
	body   []byte
}

// answer makes a reply of a value that is written as JSON.
func answer(status int, v any) (reply, error) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // all values are ours
	}
	return reply{status: status, body: body}, nil
}

// apiError is an error that a service names.
type apiError struct {
	Code    string
	Status  int
	Message string
	Header  http.Header
	Fields  map[string]string // more members, as Reason
	Server  bool              // the service is to blame, not the client
}

func (e *apiError) Error() string { return e.Code + ": " + e.Message }

// failure makes an error for a status.
func failure(status int, code, format string, args ...any) *apiError {
	return &apiError{Code: code, Status: status, Message: fmt.Sprintf(format, args...)}
}

// capitalMessage are the errors of Lambda whose member is called Message; all
// others call it message.
var capitalMessage = []string{"ResourceNotFoundException", "ServiceException", "ResourceInUseException", "InvalidZipFileException", "AccessDeniedException"}

// reply renders the error in a protocol.
func (e *apiError) reply(p protocol, requestID string) reply {
	header := maps.Clone(e.Header)
	if header == nil {
		header = make(http.Header)
	}
	who := "User"
	if e.Server {
		who = "Service"
	}
	switch p {
	case query:
		type inner struct {
			Type, Code, Message string
		}
		sender := "Sender"
		if e.Server {
			sender = "Receiver"
		}
		body, err := xml.Marshal(struct {
			XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
			Error     inner
			RequestID string `xml:"RequestId"`
		}{Error: inner{sender, e.Code, e.Message}, RequestID: requestID})
		if err != nil {
			panic(err)
		}
		return reply{e.Status, header, body}
	case restJSON:
		header.Set("X-Amzn-Errortype", e.Code)
		members := map[string]string{"Type": who}
		maps.Copy(members, e.Fields)
		name := "message"
		if slices.Contains(capitalMessage, e.Code) {
			name = "Message"
		}
		members[name] = e.Message
		r, _ := answer(e.Status, members)
		r.header = header
		return r
	default:
		members := map[string]string{"__type": e.Code, "message": e.Message}
		maps.Copy(members, e.Fields)
		r, _ := answer(e.Status, members)
		r.header = header
		return r
	}
}

// write sends a reply.
func (r reply) write(w http.ResponseWriter, p protocol, requestID string, now time.Time) {
	header := w.Header()
	maps.Copy(header, r.header)
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", map[protocol]string{
			restJSON: "application/json", json10: "application/x-amz-json-1.0", json11: "application/x-amz-json-1.1", query: "text/xml",
		}[p])
	}
	header.Set("X-Amzn-Requestid", requestID)
	header.Set("Date", now.UTC().Format(http.TimeFormat))
	status := cmp.Or(r.status, http.StatusOK)
	if status != http.StatusNoContent {
		header.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(r.body) // the client may be gone
}

// seconds writes an instant as the JSON protocols do: seconds since the epoch.
func seconds(t time.Time) json.Number {
	return json.Number(strconv.FormatFloat(float64(t.UnixMilli())/1e3, 'f', 3, 64))
}
