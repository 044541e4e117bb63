package live

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/models"
)

// function is a function of the user, as it was found.
type function struct {
	name   string
	config types.FunctionConfiguration
	code   types.FunctionCodeLocation
	price  models.PriceBook
	sizes  []int // MB that it will run with, ascending
	limitS int   // timeout of what will be invoked, s
}

// readFunction reads a function that is to be profiled. It changes nothing.
func (c *Client) readFunction(ctx context.Context, nameOrARN string) (*function, error) {
	found, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &nameOrARN})
	if err != nil {
		return nil, explain("function "+nameOrARN+" cannot be read", err)
	}
	if found.Configuration == nil || found.Code == nil {
		return nil, fmt.Errorf("live: function %s: the answer does not hold its configuration", nameOrARN)
	}
	f := &function{name: aws.ToString(found.Configuration.FunctionName), config: *found.Configuration, code: *found.Code}
	f.limitS = int(aws.ToInt32(f.config.Timeout))
	if e := f.config.Environment; e != nil && e.Error != nil {
		return nil, fmt.Errorf("live: function %s: its environment cannot be read (%s); may these credentials use its key?", f.name, aws.ToString(e.Error.ErrorCode))
	}
	return f, nil
}

// arch is the instruction set of the function.
func (f *function) arch() string {
	if len(f.config.Architectures) > 0 {
		return string(f.config.Architectures[0])
	}
	return string(types.ArchitectureX8664)
}

// storageUSDPerGBSecond is the price of ephemeral storage above 512 MB (AWS Price
// List API, Lambda, us-east-1, 2025-10-28).
const (
	storageUSDPerGBSecond = 0.0000000309
	freeStorageMB         = 512
)

// initLimitS is how long an instance may take to start before it is started
// again under the timeout of the function (AWS Lambda developer guide,
// "Understanding the Lambda execution environment lifecycle"). It may be billed.
const initLimitS = 10

// cost returns what an invocation costs that is billed for some seconds, in USD.
func (f *function) cost(memoryMB int, seconds float64) float64 {
	usd := f.price.Invocation(models.StageConfig{Memory: memoryMB, VCPU: float64(memoryMB) / models.AWSMBPerVCPU}, seconds)
	if s := f.config.EphemeralStorage; s != nil {
		if extra := float64(aws.ToInt32(s.Size) - freeStorageMB); extra > 0 {
			usd += extra / 1024 * f.price.Billed(seconds) * storageUSDPerGBSecond
		}
	}
	return usd
}

// worst returns the most that an invocation can cost, in USD.
func (f *function) worst(memoryMB int) float64 {
	return f.cost(memoryMB, float64(f.limitS)+initLimitS)
}

// longestName is how long the name of a function may be.
const longestName = 64

// copyName returns the name of the copy of a function: its own, as far as there
// is room, behind that of the run.
func copyName(run, name string) string {
	full := creator + "-" + run + "-" + name
	if len(full) <= longestName {
		return full
	}
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s-%08x", full[:longestName-9], h.Sum32())
}

// maxUpload is the size up to which the code of a function can be sent within a
// call (AWS Lambda developer guide, "Lambda quotas").
const maxUpload = 50 << 20

// fetchCode returns where the code of a copy comes from: the same image, or a
// download of the same archive.
func (c *Client) fetchCode(ctx context.Context, f *function) (*types.FunctionCode, error) {
	if f.config.PackageType == types.PackageTypeImage {
		image := f.code.ResolvedImageUri
		if image == nil {
			image = f.code.ImageUri
		}
		return &types.FunctionCode{ImageUri: image}, nil
	}
	if f.config.CodeSize > maxUpload {
		return nil, fmt.Errorf("live: function %s: its code has %d MB, and only %d MB can be copied; use --in-place", f.name, f.config.CodeSize>>20, maxUpload>>20)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*c.settings.CallTimeout)
	defer cancel()
	var zip []byte
	var err error
	for attempt := 1; ; attempt++ {
		if zip, err = c.get(ctx, aws.ToString(f.code.Location)); err == nil {
			return &types.FunctionCode{ZipFile: zip}, nil
		}
		if attempt == c.settings.Attempts || ctx.Err() != nil {
			return nil, fmt.Errorf("live: function %s: its code cannot be fetched: %w", f.name, err)
		}
		if err := sleep(ctx, c.settings.Backoff); err != nil {
			return nil, err
		}
	}
}

// get fetches what lies at an address that is signed. The address is a secret,
// so that errors leave it out.
func (c *Client) get(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*c.settings.CallTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("its address cannot be read")
	}
	response, err := c.download.Do(request)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the store answers %s", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxUpload+1))
}

// copyInput is the call that makes a copy of a function: all that decides how it
// runs, and none of what calls it.
func (f *function) copyInput(name, run string, code *types.FunctionCode) *lambda.CreateFunctionInput {
	from := &f.config
	in := &lambda.CreateFunctionInput{
		FunctionName: &name, Role: from.Role, Code: code, Tags: tags(run),
		Description:   aws.String("copy of " + f.name + ", made by eevee"),
		Architectures: from.Architectures, Handler: from.Handler, Runtime: from.Runtime, PackageType: from.PackageType,
		MemorySize: aws.Int32(int32(f.sizes[0])), Timeout: aws.Int32(int32(f.limitS)),
		EphemeralStorage: from.EphemeralStorage, FileSystemConfigs: from.FileSystemConfigs, KMSKeyArn: from.KMSKeyArn,
	}
	if e := from.Environment; e != nil {
		in.Environment = &types.Environment{Variables: e.Variables}
	}
	for _, l := range from.Layers {
		in.Layers = append(in.Layers, aws.ToString(l.Arn))
	}
	if v := from.VpcConfig; v != nil && len(v.SubnetIds) > 0 {
		in.VpcConfig = &types.VpcConfig{SubnetIds: v.SubnetIds, SecurityGroupIds: v.SecurityGroupIds, Ipv6AllowedForDualStack: v.Ipv6AllowedForDualStack}
	}
	if t := from.TracingConfig; t != nil {
		in.TracingConfig = &types.TracingConfig{Mode: t.Mode}
	}
	if i := from.ImageConfigResponse; i != nil {
		in.ImageConfig = i.ImageConfig
	}
	if s := from.SnapStart; s != nil && s.ApplyOn == types.SnapStartApplyOnPublishedVersions {
		in.SnapStart = &types.SnapStart{ApplyOn: s.ApplyOn}
	}
	if l := from.LoggingConfig; l != nil && l.LogFormat != "" {
		// The form of the log, but not the user's log group.
		in.LoggingConfig = &types.LoggingConfig{LogFormat: l.LogFormat, ApplicationLogLevel: l.ApplicationLogLevel, SystemLogLevel: l.SystemLogLevel}
	}
	return in
}

// settled makes a change of a function once no other one is in progress.
func (c *Client) settled(ctx context.Context, name string, change func(context.Context) error) error {
	deadline := time.Now().Add(settleTime)
	for {
		err := change(ctx)
		if !hasCode(err, codeConflict) || time.Now().After(deadline) {
			return err
		}
		if err := sleep(ctx, c.settings.Poll); err != nil {
			return err
		}
	}
}

// settleTime is how long a function may take until it is as it was told to be:
// network interfaces of a VPC take minutes.
const settleTime = 5 * time.Minute

// setMemory sets the memory of $LATEST and waits until it has it. Nobody else's
// change is overwritten: the call names the revision that it changes.
func (c *Client) setMemory(ctx context.Context, name string, memoryMB int) error {
	what := fmt.Sprintf("function %s cannot be set to %d MB", name, memoryMB)
	err := c.settled(ctx, name, func(ctx context.Context) error {
		now, err := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil || int(aws.ToInt32(now.MemorySize)) == memoryMB {
			return err
		}
		_, err = c.lambda.UpdateFunctionConfiguration(context.WithoutCancel(ctx), &lambda.UpdateFunctionConfigurationInput{
			FunctionName: &name, MemorySize: aws.Int32(int32(memoryMB)), RevisionId: now.RevisionId,
		})
		if hasCode(err, codePrecondition) {
			// Changed since: by our own call, if its answer was lost.
			now, again := c.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
			if again == nil && int(aws.ToInt32(now.MemorySize)) == memoryMB {
				return nil
			}
		}
		return err
	})
	if err != nil {
		return explain(what, err)
	}
	waiter := lambda.NewFunctionUpdatedV2Waiter(c.lambda, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = c.settings.Poll, max(c.settings.Poll, 5*time.Second)
	})
	if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, settleTime); err != nil {
		return explain(what, err)
	}
	return nil
}

// publish publishes $LATEST and waits until the version can be invoked. Where
// nothing has changed since the last version, that is the version.
func (c *Client) publish(ctx context.Context, name, note string) (version string, err error) {
	what := "no version of function " + name + " can be published"
	err = c.settled(ctx, name, func(ctx context.Context) error {
		out, err := c.lambda.PublishVersion(context.WithoutCancel(ctx), &lambda.PublishVersionInput{FunctionName: &name, Description: &note})
		if err == nil {
			version = aws.ToString(out.Version)
		}
		return err
	})
	if err != nil {
		return "", explain(what, err)
	}
	waiter := lambda.NewPublishedVersionActiveWaiter(c.lambda, func(o *lambda.PublishedVersionActiveWaiterOptions) {
		o.MinDelay, o.MaxDelay = c.settings.Poll, max(c.settings.Poll, 5*time.Second)
	})
	if err := waiter.Wait(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name, Qualifier: &version}, settleTime); err != nil {
		return "", explain("version "+version+" of function "+name+" does not become active", err)
	}
	return version, nil
}

// published is a version of a function.
type published struct{ number, note string }

// versions lists the versions of a function, without $LATEST.
func (c *Client) versions(ctx context.Context, name string) ([]published, error) {
	var all []published
	pages := lambda.NewListVersionsByFunctionPaginator(c.lambda, &lambda.ListVersionsByFunctionInput{FunctionName: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range page.Versions {
			if number := aws.ToString(v.Version); number != "$LATEST" {
				all = append(all, published{number, aws.ToString(v.Description)})
			}
		}
	}
	return all, nil
}
