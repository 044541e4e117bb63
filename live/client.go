package live

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"eevee/models"
)

// Settings say how AWS is talked to. Credentials, endpoints and whatever else
// is configured come from the default chain of the SDK: the environment, the
// shared files, the metadata of the machine.
type Settings struct {
	Region      string        // empty: that of the default chain
	Concurrency int           // invocations in flight at a time; 0: 100
	CallTimeout time.Duration // of one attempt of a call, beside the function's own time; 0: 30 s
	Attempts    int           // of a call that may be made again; 0: 8
	Backoff     time.Duration // before the second attempt, at most; it doubles from there; 0: 200 ms
	Poll        time.Duration // between two looks at a state that changes by itself, at least; 0: 500 ms
	InitTimeout time.Duration // for which an instance that starts is waited for, beside the function's own time; 0: 10 s
	Streams     models.Streams

	// Load are further options of the configuration of the SDK.
	Load []func(*config.LoadOptions) error
}

func (s Settings) withDefaults() Settings {
	if s.Concurrency == 0 {
		s.Concurrency = 100
	}
	if s.CallTimeout == 0 {
		s.CallTimeout = 30 * time.Second
	}
	if s.InitTimeout == 0 {
		s.InitTimeout = initLimitS * time.Second
	}
	if s.Attempts == 0 {
		s.Attempts = 8
	}
	if s.Backoff == 0 {
		s.Backoff = 200 * time.Millisecond
	}
	if s.Poll == 0 {
		s.Poll = 500 * time.Millisecond
	}
	return s
}

// Client talks to one account in one region.
type Client struct {
	Account string
	Region  string

	settings Settings
	lambda   *lambda.Client // changes and reads nothing that costs
	invoker  *lambda.Client // invokes; never makes a call again that may have been acted on
	states   *sfn.Client
	logs     *cloudwatchlogs.Client
	download *http.Client // of the code of functions, from addresses that need no credentials

	transports []*http.Transport
}

// Open finds credentials and the account that they belong to.
func Open(ctx context.Context, s Settings) (*Client, error) {
	s = s.withDefaults()
	options := slices.Clone(s.Load)
	if s.Region != "" {
		options = append(options, config.WithRegion(s.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("live: the configuration of AWS cannot be read: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("live: no region; set AWS_REGION, or one in the AWS configuration, or give --region")
	}
	c := &Client{Region: cfg.Region, settings: s}
	cfg.RetryMaxAttempts, cfg.RetryMode = 0, ""
	pause := newPauses(s)
	cfg.Retryer = func() aws.Retryer { return repeating(s, pause) }
	control, invoking := cfg.Copy(), cfg.Copy()
	control.HTTPClient = c.httpClient(cfg.HTTPClient, s.CallTimeout)
	c.download = c.httpClient(cfg.HTTPClient, 0)
	// An invocation takes as long as its function; its context ends it.
	invoking.HTTPClient = c.httpClient(cfg.HTTPClient, 0)
	invoking.Retryer = func() aws.Retryer { return repeatingThrottled(s, pause) }
	c.lambda = lambda.NewFromConfig(control)
	c.states = sfn.NewFromConfig(control)
	c.logs = cloudwatchlogs.NewFromConfig(control)
	c.invoker = lambda.NewFromConfig(invoking)
	identity, err := sts.NewFromConfig(control).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		c.Close()
		return nil, explain("the account of the credentials cannot be found out", err)
	}
	c.Account = aws.ToString(identity.Account)
	return c, nil
}

// httpClient returns a client with its own connections, as many as there may
// be invocations in flight.
func (c *Client) httpClient(base aws.HTTPClient, timeout time.Duration) *http.Client {
	buildable, ok := base.(*awshttp.BuildableClient)
	if !ok {
		buildable = awshttp.NewBuildableClient()
	}
	t := buildable.GetTransport() // with the certificates and the proxy of the configuration
	t.MaxIdleConns, t.MaxIdleConnsPerHost = c.settings.Concurrency, c.settings.Concurrency
	t.MaxConnsPerHost = 0
	c.transports = append(c.transports, t)
	return &http.Client{
		Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close gives up the connections.
func (c *Client) Close() {
	for _, t := range c.transports {
		t.CloseIdleConnections()
	}
}

// CheckAccount reports that the credentials are those of another account than
// the one that the user means.
func (c *Client) CheckAccount(account string) error {
	if account != c.Account {
		return fmt.Errorf("live: the credentials are those of account %s, not %s; nothing was done", c.Account, account)
	}
	return nil
}

// sleep waits, unless the context ends before.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
