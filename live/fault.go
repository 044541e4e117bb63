package live

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// fault is what the failure of a call says about whether it was acted on.
type fault int

const (
	lost      fault = iota // it may have been acted on or not
	throttled              // it was not, and may be made again
	refused                // it was not, and would not be either if it were made again
)

// faultOf returns what the failure of a call means. What is not known for
// certain is lost.
func faultOf(err error) fault {
	if unsent(err) {
		return refused
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		if _, ok := retry.DefaultThrottleErrorCodes[api.ErrorCode()]; ok {
			return throttled
		}
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		switch status := response.HTTPStatusCode(); {
		case status == 429:
			return throttled
		case status >= 400 && status < 500:
			return refused
		}
	}
	return lost
}

// hasCode reports whether a call failed with one of the given error codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// The error codes that calls are made for, or that have a meaning of their own.
const (
	codeNotFound     = "ResourceNotFoundException"
	codeConflict     = "ResourceConflictException"   // it exists, or it is being changed
	codePrecondition = "PreconditionFailedException" // the revision is another one
	codeNoMachine    = "StateMachineDoesNotExist"
	codeNoExecution  = "ExecutionDoesNotExist"
	codeExecuted     = "ExecutionAlreadyExists"
)

// explain says what a failed call means for the user. The error of the SDK
// names operation, resource and request; it holds no payload and no
// credentials.
func explain(what string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("live: %s: %w", what, context.Canceled)
	case hasCode(err, "AccessDeniedException", "AccessDenied", "UnauthorizedOperation"):
		return fmt.Errorf("live: %s: permission is missing (\"eevee live policy\" prints what is needed): %w", what, err)
	case hasCode(err, "ExpiredTokenException", "ExpiredToken", "RequestExpired"):
		return fmt.Errorf("live: %s: the credentials have expired; renew them: %w", what, err)
	case hasCode(err, "UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSignatureException"):
		return fmt.Errorf("live: %s: the credentials are not valid: %w", what, err)
	case strings.Contains(err.Error(), "failed to refresh cached credentials"), strings.Contains(err.Error(), "get credentials:"):
		return fmt.Errorf("live: %s: no credentials; the default chain of the AWS SDK looks in the environment, ~/.aws and the metadata of the machine: %w", what, err)
	}
	return fmt.Errorf("live: %s: %w", what, err)
}
