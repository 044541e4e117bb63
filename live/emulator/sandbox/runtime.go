package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
)

// maxPayload bounds what is read of an answer: more than Lambda allows, so that
// the caller can refuse it in Lambda's words.
const maxPayload = 8 << 20

// runtimeAPI serves the Runtime API, version 2018-06-01.
func (b *Sandbox) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	const base = "/2018-06-01/runtime/"
	mux.HandleFunc("GET "+base+"invocation/next", b.next)
	mux.HandleFunc("POST "+base+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) { b.answer(w, r, false) })
	mux.HandleFunc("POST "+base+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) { b.answer(w, r, true) })
	mux.HandleFunc("POST "+base+"init/error", func(w http.ResponseWriter, r *http.Request) { b.answer(w, r, true) })
	return mux
}

// next answers the question for an event, when there is one.
func (b *Sandbox) next(w http.ResponseWriter, r *http.Request) {
	select {
	case b.asked <- struct{}{}:
	default: // it has asked already
	}
	select {
	case e := <-b.events:
		header := w.Header()
		header.Set("Content-Type", "application/json")
		header.Set("Lambda-Runtime-Aws-Request-Id", e.ID)
		header.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(e.deadline.UnixMilli(), 10))
		header.Set("Lambda-Runtime-Invoked-Function-Arn", e.ARN)
		if e.Trace != "" {
			header.Set("Lambda-Runtime-Trace-Id", e.Trace)
		}
		if e.Context != "" {
			header.Set("Lambda-Runtime-Client-Context", e.Context)
		}
		_, _ = w.Write(e.Payload)
	case <-r.Context().Done():
	case <-b.closing:
	}
}

// answer takes what the process posts.
func (b *Sandbox) answer(w http.ResponseWriter, r *http.Request, failed bool) {
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", err.Error())
		return
	}
	select {
	case b.answers <- answer{r.PathValue("id"), payload, failed}:
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "an answer was posted already")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = w.Write([]byte(`{"status":"OK"}`))
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	text, err := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	if err != nil {
		panic(err) // two texts
	}
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
