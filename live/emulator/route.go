package emulator

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"eevee/live/emulator/sigv4"
)

// match compares a path with a pattern and returns what the wildcards stand
// for.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(want) != len(got) {
		return nil, false
	}
	values := make(map[string]string)
	for i, w := range want {
		if strings.HasPrefix(w, "{") {
			value, err := url.PathUnescape(got[i])
			if err != nil || value == "" {
				return nil, false
			}
			values[strings.Trim(w, "{}")] = value
		} else if w != got[i] {
			return nil, false
		}
	}
	return values, true
}

// route finds the operation that a request is for. Where there is none, the
// operation has no act, and its service and protocol are those to refuse it in.
func route(r *http.Request, body []byte) (operation, map[string]string) {
	scope, _ := sigv4.ScopeOf(r)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		if op, ok := targetOperations[target]; ok {
			return op, nil
		}
		p := json10
		if strings.Contains(r.Header.Get("Content-Type"), "json-1.1") {
			p = json11
		}
		_, name, _ := strings.Cut(target, ".")
		return operation{scope.Service, name, p, nil}, nil
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		form, err := url.ParseQuery(string(body))
		if op, ok := targetOperations["Action."+form.Get("Action")]; ok && err == nil {
			return op, nil
		}
		return operation{scope.Service, form.Get("Action"), query, nil}, nil
	}
	for _, o := range lambdaOperations {
		if o.method != r.Method {
			continue
		}
		if values, ok := match(o.path, r.URL.EscapedPath()); ok {
			return o.operation, values
		}
	}
	return operation{scope.Service, r.Method + " " + r.URL.Path, restJSON, nil}, nil
}

// maxBody bounds what is read of a request: the largest package that Lambda
// takes directly, 50 MB, in base64, and room around it.
const maxBody = 80 << 20

// ServeHTTP answers one request.
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !e.enter() {
		panic(http.ErrAbortHandler)
	}
	defer e.requests.Done()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	if name, ok := strings.CutPrefix(r.URL.Path, codePath); ok && r.Method == http.MethodGet {
		e.serveCode(w, r, name)
		return
	}
	op, path := route(r, body)
	in := &request{Context: r.Context(), id: uuid(), path: path, query: r.URL.Query(), header: r.Header, body: body, now: e.now()}
	call := e.record(op, in)
	if e.options.OnCall != nil {
		e.options.OnCall(call)
	}
	fault := e.faultFor(call)
	if fault.before(e, w, r) {
		return
	}
	out, err := e.dispatch(op, in, r, fault)
	var refused *apiError
	switch {
	case errors.As(err, &refused):
		out = refused.reply(op.protocol, in.id)
	case err != nil:
		out = (&apiError{Code: "ServiceException", Status: http.StatusInternalServerError, Message: err.Error(), Server: true}).reply(op.protocol, in.id)
	}
	call = e.finish(call, out.status, refused)
	if e.options.AfterCall != nil {
		e.options.AfterCall(call)
	}
	if fault.after(e, w, r) {
		return
	}
	out.write(w, op.protocol, in.id, e.now())
}

// dispatch checks who asks and acts.
func (e *Emulator) dispatch(op operation, in *request, r *http.Request, fault *Fault) (reply, error) {
	caller, err := e.verifier.Verify(r, in.body, in.now)
	if err != nil {
		return reply{}, refusal(err, op)
	}
	if err := fault.refuse(op, caller, e); err != nil {
		return reply{}, err
	}
	if op.act == nil {
		return reply{}, failure(http.StatusNotFound, "UnknownOperationException", "The emulator does not know %s of %s.", op.name, op.service)
	}
	return op.act(e, in)
}

// refusal turns the reason of a bad signature into the error of a protocol. The
// query protocol has names of its own, and the JSON protocols answer 400.
func refusal(err error, op operation) *apiError {
	var bad *sigv4.Error
	if !errors.As(err, &bad) {
		return failure(http.StatusInternalServerError, "InternalFailure", "%v", err)
	}
	names := map[sigv4.Reason][2]string{
		sigv4.Missing:      {"MissingAuthenticationTokenException", "MissingAuthenticationToken"},
		sigv4.Incomplete:   {"IncompleteSignatureException", "IncompleteSignature"},
		sigv4.WrongScope:   {"InvalidSignatureException", "SignatureDoesNotMatch"},
		sigv4.UnknownKey:   {"UnrecognizedClientException", "InvalidClientTokenId"},
		sigv4.Skewed:       {"InvalidSignatureException", "SignatureDoesNotMatch"},
		sigv4.BadSignature: {"InvalidSignatureException", "SignatureDoesNotMatch"},
		sigv4.ExpiredToken: {"ExpiredTokenException", "ExpiredToken"},
	}[bad.Reason]
	return forProtocol(op, names[0], names[1], bad.Message)
}

// forProtocol makes an error about the caller: 403 but in the JSON protocols.
func forProtocol(op operation, name, queryName, message string) *apiError {
	switch op.protocol {
	case query:
		return failure(http.StatusForbidden, queryName, "%s", message)
	case restJSON:
		return failure(http.StatusForbidden, name, "%s", message)
	default:
		return failure(http.StatusBadRequest, name, "%s", message)
	}
}
