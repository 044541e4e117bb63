package live

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// historyJSON writes events as "aws stepfunctions get-execution-history" prints
// them: the fields of the API, whose names begin with a small letter.
func historyJSON(events []types.HistoryEvent) ([]byte, error) {
	list := make([]any, len(events))
	for i := range events {
		list[i] = apiForm(reflect.ValueOf(events[i]))
	}
	return json.Marshal(map[string]any{"events": list})
}

// apiForm returns a structure of the SDK under the names of the API, without
// what is not set.
func apiForm(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return apiForm(v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(json.Marshaler); ok { // an instant
			return t
		}
		form := make(map[string]any)
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() || v.Field(i).IsZero() && field.Name != "Index" {
				continue
			}
			form[strings.ToLower(field.Name[:1])+field.Name[1:]] = apiForm(v.Field(i))
		}
		return form
	}
	return v.Interface()
}

// answersOf returns what functions answered, by request, where a state invoked
// them through the integration of Lambda: the direct form names no request.
func answersOf(events []types.HistoryEvent) map[string]json.RawMessage {
	answers := make(map[string]json.RawMessage)
	for _, e := range events {
		if e.TaskSucceededEventDetails == nil {
			continue
		}
		var output struct {
			Payload json.RawMessage
			Meta    struct {
				RequestID string `json:"RequestId"`
			} `json:"SdkResponseMetadata"`
		}
		if json.Unmarshal([]byte(aws.ToString(e.TaskSucceededEventDetails.Output)), &output) == nil && output.Meta.RequestID != "" {
			answers[output.Meta.RequestID] = output.Payload
		}
	}
	return answers
}
