package emulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/google/go-cmp/cmp"

	"eevee/live/emulator"
)

func echo(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// A function from its creation to its end, by the SDK's own types.
func TestFunction(t *testing.T) {
	e := start(t, emulator.Options{})
	cfg := client(t, e)
	c, ctx := lambda.NewFromConfig(cfg), t.Context()
	made := create(t, c, "f", 512)
	if made.State != types.StateActive || aws.ToString(made.FunctionArn) != "arn:aws:lambda:us-east-1:123456789012:function:f" || aws.ToInt32(made.Timeout) != 3 {
		t.Errorf("created: %+v", made)
	}
	var conflict *types.ResourceConflictException
	if _, err := c.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: aws.String("f"), Role: aws.String(role), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("b"), Code: &types.FunctionCode{ZipFile: pack(t, "b", "")}}); !errors.As(err, &conflict) || aws.ToString(conflict.Type) != "User" {
		t.Errorf("created again: %v", err)
	}

	// The code, by its address.
	got, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: made.FunctionArn})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := newTransport().Get(*got.Code.Location)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	sum := sha256.Sum256(zip)
	if err != nil || answer.StatusCode != 200 || base64.StdEncoding.EncodeToString(sum[:]) != aws.ToString(got.Configuration.CodeSha256) || int64(len(zip)) != got.Configuration.CodeSize {
		t.Errorf("%s: %s, %d bytes: %v", *got.Code.Location, answer.Status, len(zip), err)
	}

	// Changes, with and without the right revision.
	config, err := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: aws.Int32(1024), RevisionId: config.RevisionId,
		Environment: &types.Environment{Variables: map[string]string{"A": "1"}}, Description: aws.String("d"), Timeout: aws.Int32(9), EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(600)}}); err != nil {
		t.Fatal(err)
	}
	var stale *types.PreconditionFailedException
	if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: aws.Int32(128), RevisionId: config.RevisionId}); !errors.As(err, &stale) {
		t.Errorf("with an old revision: %v", err)
	}
	if _, err := c.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: pack(t, "bootstrap", "new")}); err != nil {
		t.Fatal(err)
	}
	now, err := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || aws.ToInt32(now.MemorySize) != 1024 || aws.ToInt32(now.Timeout) != 9 || now.Environment.Variables["A"] != "1" || aws.ToString(now.CodeSha256) == aws.ToString(config.CodeSha256) ||
		aws.ToInt32(now.EphemeralStorage.Size) != 600 || now.LastUpdateStatus != types.LastUpdateStatusSuccessful {
		t.Errorf("changed: %+v %v", now, err)
	}

	// Tags and concurrency.
	arn := made.FunctionArn
	if _, err := c.TagResource(ctx, &lambda.TagResourceInput{Resource: arn, Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.UntagResource(ctx, &lambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a", "c"}}); err != nil {
		t.Fatal(err)
	}
	if tags, err := c.ListTags(ctx, &lambda.ListTagsInput{Resource: arn}); err != nil || !cmp.Equal(tags.Tags, map[string]string{"b": "2"}) {
		t.Errorf("tags: %+v %v", tags, err)
	}
	if _, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: arn, ReservedConcurrentExecutions: aws.Int32(5)}); err != nil {
		t.Fatal(err)
	}
	if account, err := c.GetAccountSettings(ctx, nil); err != nil || account.AccountLimit.ConcurrentExecutions != 1000 || aws.ToInt32(account.AccountLimit.UnreservedConcurrentExecutions) != 995 {
		t.Errorf("account: %+v %v", account, err)
	}
	if n, err := c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: arn}); err != nil || aws.ToInt32(n.ReservedConcurrentExecutions) != 5 {
		t.Errorf("concurrency: %+v %v", n, err)
	}
	if _, err := c.DeleteFunctionConcurrency(ctx, &lambda.DeleteFunctionConcurrencyInput{FunctionName: arn}); err != nil {
		t.Fatal(err)
	}
	if n, err := c.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: arn}); err != nil || n.ReservedConcurrentExecutions != nil {
		t.Errorf("concurrency: %+v %v", n, err)
	}
	var invalid *types.InvalidParameterValueException
	if _, err := c.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: arn, ReservedConcurrentExecutions: aws.Int32(950)}); !errors.As(err, &invalid) {
		t.Errorf("all of the account reserved: %v", err)
	}

	if _, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("f")}); !errors.As(err, &missing) || aws.ToString(missing.Message) != "Function not found: "+*arn {
		t.Errorf("deleted: %v", err)
	}
	if len(e.Snapshots()) != 0 {
		t.Errorf("left: %v", e.Snapshots())
	}
}

// Versions: nothing that has not changed is published, numbers are never used
// again, and what an alias names is not deleted.
func TestVersions(t *testing.T) {
	e := start(t, emulator.Options{})
	c, ctx := lambda.NewFromConfig(client(t, e)), t.Context()
	create(t, c, "f", 128)
	name := aws.String("f")
	publish := func() string {
		t.Helper()
		v, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name, Description: aws.String("published")})
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:lambda:us-east-1:123456789012:function:f:" + *v.Version; aws.ToString(v.FunctionArn) != want {
			t.Errorf("published %s, want %s", *v.FunctionArn, want)
		}
		return *v.Version
	}
	resize := func(memory int32) {
		t.Helper()
		if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, MemorySize: &memory}); err != nil {
			t.Fatal(err)
		}
	}
	got := []string{publish(), publish()}
	resize(256)
	got = append(got, publish())
	resize(128)
	got = append(got, publish())
	if _, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("3")}); err != nil {
		t.Fatal(err)
	}
	got = append(got, publish())
	if want := []string{"1", "1", "2", "3", "4"}; !slices.Equal(got, want) {
		t.Errorf("published %v, want %v", got, want)
	}
	if v, err := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: aws.String("2")}); err != nil || aws.ToInt32(v.MemorySize) != 256 || aws.ToString(v.Description) != "published" {
		t.Errorf("version 2: %+v %v", v, err)
	}
	sha := base64.StdEncoding.EncodeToString(make([]byte, 32))
	var invalid *types.InvalidParameterValueException
	if _, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name, CodeSha256: &sha}); !errors.As(err, &invalid) {
		t.Errorf("with the digest of other code: %v", err)
	}
	if _, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("$LATEST")}); !errors.As(err, &invalid) {
		t.Errorf("$LATEST deleted: %v", err)
	}

	// Aliases.
	if _, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("2")}); err != nil {
		t.Fatal(err)
	}
	var conflict *types.ResourceConflictException
	if _, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1")}); !errors.As(err, &conflict) {
		t.Errorf("an alias twice: %v", err)
	}
	if _, err := c.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: name, Qualifier: aws.String("2")}); !errors.As(err, &conflict) {
		t.Errorf("a version with an alias deleted: %v", err)
	}
	var missing *types.ResourceNotFoundException
	if _, err := c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("3")}); !errors.As(err, &missing) {
		t.Errorf("an alias of a deleted version: %v", err)
	}
	before, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: name, Name: aws.String("live")})
	if err != nil || *before.FunctionVersion != "2" {
		t.Fatalf("alias: %+v %v", before, err)
	}
	after, err := c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("4"), RevisionId: before.RevisionId,
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"1": 0.25}}})
	if err != nil || *after.FunctionVersion != "4" || after.RoutingConfig.AdditionalVersionWeights["1"] != 0.25 || *after.RevisionId == *before.RevisionId {
		t.Errorf("alias: %+v %v", after, err)
	}
	var stale *types.PreconditionFailedException
	if _, err := c.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: name, Name: aws.String("live"), FunctionVersion: aws.String("1"), RevisionId: before.RevisionId}); !errors.As(err, &stale) {
		t.Errorf("with an old revision: %v", err)
	}
	if list, err := c.ListAliases(ctx, &lambda.ListAliasesInput{FunctionName: name, FunctionVersion: aws.String("4")}); err != nil || len(list.Aliases) != 1 {
		t.Errorf("aliases of version 4: %+v %v", list, err)
	}
	for range 2 { // deleting what is not there succeeds
		if _, err := c.DeleteAlias(ctx, &lambda.DeleteAliasInput{FunctionName: name, Name: aws.String("live")}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: name, Name: aws.String("live")}); !errors.As(err, &missing) {
		t.Errorf("a deleted alias: %v", err)
	}
}

// Lists come in pages, by the SDK's paginators.
func TestPages(t *testing.T) {
	e := start(t, emulator.Options{})
	c, ctx := lambda.NewFromConfig(client(t, e)), t.Context()
	for i := range 7 {
		create(t, c, fmt.Sprint("f", i), 128)
	}
	var names, versions, aliases []string
	for p := lambda.NewListFunctionsPaginator(c, &lambda.ListFunctionsInput{MaxItems: aws.Int32(3)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Functions) > 3 {
			t.Errorf("a page of %d", len(page.Functions))
		}
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	for i := range 5 {
		if _, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f0"), MemorySize: aws.Int32(int32(200 + i))}); err != nil {
			t.Fatal(err)
		}
		v, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: aws.String("f0")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.CreateAlias(ctx, &lambda.CreateAliasInput{FunctionName: aws.String("f0"), Name: aws.String("a" + *v.Version), FunctionVersion: v.Version}); err != nil {
			t.Fatal(err)
		}
	}
	for p := lambda.NewListVersionsByFunctionPaginator(c, &lambda.ListVersionsByFunctionInput{FunctionName: aws.String("f0"), MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			versions = append(versions, *v.Version)
		}
	}
	for p := lambda.NewListAliasesPaginator(c, &lambda.ListAliasesInput{FunctionName: aws.String("f0"), MaxItems: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Aliases {
			aliases = append(aliases, *a.Name)
		}
	}
	got := fmt.Sprint(names, versions, aliases)
	if want := "[f0 f1 f2 f3 f4 f5 f6] [$LATEST 1 2 3 4 5] [a1 a2 a3 a4 a5]"; got != want {
		t.Errorf("listed %s, want %s", got, want)
	}
}

// Changes take time: the SDK's waiters wait for them, everything else is
// refused, and invocations get the old settings until then.
func TestChangesTakeTime(t *testing.T) {
	clock := newClock()
	e := start(t, emulator.Options{Settle: 20 * time.Second, Now: clock.now, Handlers: map[string]emulator.Handler{
		"f": func(ctx context.Context, _ []byte) ([]byte, error) {
			return fmt.Append(nil, emulator.InvocationOf(ctx).MemoryMB), nil
		},
	}})
	c, ctx := lambda.NewFromConfig(client(t, e)), t.Context()
	name := aws.String("f")
	made, err := c.CreateFunction(ctx, &lambda.CreateFunctionInput{FunctionName: name, Role: aws.String(role), Runtime: types.RuntimeProvidedal2023,
		Handler: aws.String("bootstrap"), Code: &types.FunctionCode{ZipFile: pack(t, "bootstrap", "")}})
	if err != nil || made.State != types.StatePending {
		t.Fatalf("%+v %v", made, err)
	}
	var conflict *types.ResourceConflictException
	invoke := func() string {
		out, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name})
		if err != nil {
			return "refused: " + fmt.Sprint(errors.As(err, &conflict))
		}
		return string(out.Payload)
	}
	resize := func(memory int32) error {
		_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, MemorySize: &memory})
		return err
	}
	if got := invoke(); got != "refused: true" {
		t.Errorf("while pending: %s", got)
	}
	if err := resize(256); !errors.As(err, &conflict) {
		t.Errorf("changed while pending: %v", err)
	}
	// Every look of a waiter takes a while; how many are there?
	looks := func(wait func() error) int {
		t.Helper()
		before := len(e.Calls())
		stop := clock.tick(5 * time.Second)
		defer stop()
		if err := wait(); err != nil {
			t.Fatal(err)
		}
		return len(e.Calls()) - before
	}
	if n := looks(func() error {
		return lambda.NewFunctionActiveV2Waiter(c, func(o *lambda.FunctionActiveV2WaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Millisecond, 2*time.Millisecond
		}).
			Wait(ctx, &lambda.GetFunctionInput{FunctionName: name}, time.Minute)
	}); n < 3 {
		t.Errorf("a waiter looked %d times; the function is pending for 20 s, and a look takes 5 s", n)
	}
	pending, _ := c.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name})
	if aws.ToString(pending.RevisionId) == aws.ToString(made.RevisionId) {
		t.Error("the revision did not change when the function became active")
	}
	if err := resize(256); err != nil {
		t.Fatal(err)
	}
	if err := resize(512); !errors.As(err, &conflict) || !strings.Contains(conflict.ErrorMessage(), "An update is in progress for resource: arn:aws:lambda:us-east-1:123456789012:function:f") {
		t.Errorf("changed twice: %v", err)
	}
	if _, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name}); !errors.As(err, &conflict) {
		t.Errorf("published during a change: %v", err)
	}
	if got := invoke(); got != "128" {
		t.Errorf("during the change it has %s MB, want 128", got)
	}
	if n := looks(func() error {
		return lambda.NewFunctionUpdatedV2Waiter(c, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Millisecond, 2*time.Millisecond
		}).
			Wait(ctx, &lambda.GetFunctionInput{FunctionName: name}, time.Minute)
	}); n < 3 {
		t.Errorf("a waiter looked %d times", n)
	}
	if got := invoke(); got != "256" {
		t.Errorf("after the change it has %s MB, want 256", got)
	}
	version, err := c.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: name})
	if err != nil || version.State != types.StatePending {
		t.Fatalf("%+v %v", version, err)
	}
	looks(func() error {
		return lambda.NewPublishedVersionActiveWaiter(c, func(o *lambda.PublishedVersionActiveWaiterOptions) {
			o.MinDelay, o.MaxDelay = time.Millisecond, 2*time.Millisecond
		}).
			Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: name, Qualifier: version.Version}, time.Minute)
	})
}

// What the API refuses, and how.
func TestBadInput(t *testing.T) {
	e := start(t, emulator.Options{})
	c, ctx := lambda.NewFromConfig(client(t, e)), t.Context()
	create(t, c, "f", 128)
	name := aws.String("f")
	input := func(change func(*lambda.CreateFunctionInput)) *lambda.CreateFunctionInput {
		in := &lambda.CreateFunctionInput{FunctionName: aws.String("g"), Role: aws.String(role), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("b"), Code: &types.FunctionCode{ZipFile: pack(t, "b", "")}}
		change(in)
		return in
	}
	for what, c := range map[string]struct {
		code string
		call func() error
	}{
		"too little memory": {"ValidationException", func() error {
			_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, MemorySize: aws.Int32(64)})
			return err
		}},
		"too much memory": {"ValidationException", func() error {
			_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, MemorySize: aws.Int32(10241)})
			return err
		}},
		"a reserved variable": {"InvalidParameterValueException", func() error {
			_, err := c.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{FunctionName: name, Environment: &types.Environment{Variables: map[string]string{"AWS_REGION": "x"}}})
			return err
		}},
		"no zip": {"InvalidZipFileException", func() error {
			_, err := c.CreateFunction(ctx, input(func(i *lambda.CreateFunctionInput) { i.Code.ZipFile = []byte("x") }))
			return err
		}},
		"no role": {"ValidationException", func() error {
			_, err := c.CreateFunction(ctx, input(func(i *lambda.CreateFunctionInput) { i.Role = aws.String("r") }))
			return err
		}},
		"a bad name": {"ValidationException", func() error {
			_, err := c.CreateFunction(ctx, input(func(i *lambda.CreateFunctionInput) { i.FunctionName = aws.String("a b") }))
			return err
		}},
		"another account": {"AccessDeniedException", func() error {
			_, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:us-east-1:999999999999:function:f")})
			return err
		}},
		"another region": {"ResourceNotFoundException", func() error {
			_, err := c.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:123456789012:function:f")})
			return err
		}},
		"no such version": {"ResourceNotFoundException", func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Qualifier: aws.String("7")})
			return err
		}},
		"a payload that is no JSON": {"InvalidRequestContentException", func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Payload: []byte("{")})
			return err
		}},
		"too large a payload": {"RequestTooLargeException", func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, Payload: fmt.Appendf(nil, "%q", strings.Repeat("x", 6<<20))})
			return err
		}},
		"too large an event": {"RequestTooLargeException", func() error {
			_, err := c.Invoke(ctx, &lambda.InvokeInput{FunctionName: name, InvocationType: types.InvocationTypeEvent, Payload: fmt.Appendf(nil, "%q", strings.Repeat("x", 1<<20))})
			return err
		}},
		"a tag of a version": {"InvalidParameterValueException", func() error {
			_, err := c.TagResource(ctx, &lambda.TagResourceInput{Resource: aws.String("arn:aws:lambda:us-east-1:123456789012:function:f:1"), Tags: map[string]string{"a": "b"}})
			return err
		}},
		"what it does not know": {"UnknownOperationException", func() error {
			_, err := c.ListLayers(ctx, nil)
			return err
		}},
	} {
		if got := code(c.call()); got != c.code {
			t.Errorf("%s: %s, want %s", what, got, c.code)
		}
	}
}
