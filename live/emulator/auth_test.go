package emulator_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"eevee/live/emulator"
)

// services are one call of each service, in its own protocol.
var services = map[string]func(context.Context, aws.Config) error{
	"rest": func(ctx context.Context, cfg aws.Config) error {
		_, err := lambda.NewFromConfig(cfg).ListFunctions(ctx, nil)
		return err
	},
	"json10": func(ctx context.Context, cfg aws.Config) error {
		_, err := sfn.NewFromConfig(cfg).ListStateMachines(ctx, nil)
		return err
	},
	"json11": func(ctx context.Context, cfg aws.Config) error {
		_, err := cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, nil)
		return err
	},
	"query": func(ctx context.Context, cfg aws.Config) error {
		_, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
		return err
	},
}

// Who is refused, and with which code and status in each protocol. The codes are
// those of the "Common errors" of the API references.
func TestRefusedCallers(t *testing.T) {
	session := emulator.Credentials{AccessKey: "ASIASESSION", Secret: "s", Session: "token", Expires: time.Now().Add(-time.Minute)}
	e := start(t, emulator.Options{Credentials: []emulator.Credentials{{AccessKey: emulator.AccessKey, Secret: emulator.Secret}, session}})
	for name, c := range map[string]struct {
		key, secret, token string
		region             string
		codes              string // of Lambda, Step Functions, Logs; and of STS
	}{
		"right":             {emulator.AccessKey, emulator.Secret, "", "us-east-1", ""},
		"wrong secret":      {emulator.AccessKey, "x", "", "us-east-1", "InvalidSignatureException SignatureDoesNotMatch"},
		"unknown key":       {"AKIANOBODY", "x", "", "us-east-1", "UnrecognizedClientException InvalidClientTokenId"},
		"needless token":    {emulator.AccessKey, emulator.Secret, "t", "us-east-1", "UnrecognizedClientException InvalidClientTokenId"},
		"wrong token":       {session.AccessKey, session.Secret, "other", "us-east-1", "UnrecognizedClientException InvalidClientTokenId"},
		"expired session":   {session.AccessKey, session.Secret, session.Session, "us-east-1", "ExpiredTokenException ExpiredToken"},
		"of another region": {emulator.AccessKey, emulator.Secret, "", "eu-west-1", "InvalidSignatureException SignatureDoesNotMatch"},
	} {
		cfg := client(t, e)
		cfg.Region, cfg.Credentials = c.region, credentials.NewStaticCredentialsProvider(c.key, c.secret, c.token)
		plain, inQuery, _ := strings.Cut(c.codes, " ")
		for protocol, call := range services {
			want, status := plain, http.StatusBadRequest
			switch protocol {
			case "query":
				want, status = inQuery, http.StatusForbidden
			case "rest":
				status = http.StatusForbidden
			}
			err := call(t.Context(), cfg)
			if got := code(err); got != want {
				t.Errorf("%s, %s: %q, want %q", name, protocol, got, want)
			}
			var answer *awshttp.ResponseError
			if want != "" && (!errors.As(err, &answer) || answer.HTTPStatusCode() != status || answer.RequestID == "") {
				t.Errorf("%s, %s: %v, want status %d and a request id", name, protocol, err, status)
			}
		}
	}
}

// A clock that is wrong is refused; the SDK then corrects it by the date of the
// answer and tries again.
func TestClockSkew(t *testing.T) {
	ahead := func() time.Time { return time.Now().Add(17 * time.Minute) }
	e := start(t, emulator.Options{Now: ahead})
	for protocol, call := range services {
		once := client(t, e)
		want := "InvalidSignatureException"
		if protocol == "query" {
			want = "SignatureDoesNotMatch"
		}
		if err := call(t.Context(), once); code(err) != want || !strings.Contains(err.Error(), "Signature expired: ") {
			t.Errorf("%s: %v", protocol, err)
		}
		twice := client(t, e)
		twice.RetryMaxAttempts = 0 // what the retryer says
		twice.Retryer = func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = 2, time.Millisecond })
		}
		if err := call(t.Context(), twice); err != nil {
			t.Errorf("%s, corrected: %v", protocol, err)
		}
	}
}

// The SDK's default chain finds the emulator and its credentials by the
// environment alone.
func TestDefaultChain(t *testing.T) {
	e := start(t, emulator.Options{Credentials: []emulator.Credentials{{AccessKey: "ASIA", Secret: "s", Session: "token"}}})
	for _, pair := range e.Env() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	t.Setenv("AWS_CONFIG_FILE", "none")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "none")
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithHTTPClient(awshttp.NewBuildableClient()))
	if err != nil {
		t.Fatal(err)
	}
	who, err := sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil)
	if err != nil || aws.ToString(who.Arn) != "arn:aws:sts::123456789012:assumed-role/emulator/session" || aws.ToString(who.Account) != "123456789012" {
		t.Errorf("%+v %v", who, err)
	}
}

// Without a signature nothing is answered.
func TestNoSignature(t *testing.T) {
	e := start(t, emulator.Options{})
	transport := newTransport()
	defer transport.CloseIdleConnections()
	answer, err := transport.Get(e.URL() + "/2015-03-31/functions")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden || answer.Header.Get("X-Amzn-Errortype") != "MissingAuthenticationTokenException" {
		t.Errorf("%s %v", answer.Status, answer.Header)
	}
}
