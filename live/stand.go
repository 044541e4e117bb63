package live

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"golang.org/x/sync/errgroup"
)

// stand is what executions run on: a version of every function for every size
// that it is to have. They are versions of copies, so that the functions
// themselves are not touched, or, in place, of the functions.
type stand struct {
	client  *Client
	journal *journal
	inPlace bool

	// qualifiers holds what an invocation names behind the function: an alias
	// of a copy, a version in place. It is complete once the stand is built.
	qualifiers []map[int]string // by function, by MB
}

// standWidth is how many functions are prepared at a time. What changes
// functions is throttled at 15 calls per second (AWS Lambda developer guide,
// "Lambda quotas").
const standWidth = 4

// build prepares all functions. What it changed up to an error is in the
// journal.
func (s *stand) build(ctx context.Context, functions []*function, progress func()) error {
	s.qualifiers = make([]map[int]string, len(functions))
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(standWidth)
	for i, f := range functions {
		s.qualifiers[i] = make(map[int]string)
		work.Go(func() error {
			if s.inPlace {
				return s.change(ctx, f, s.qualifiers[i], progress)
			}
			return s.copy(ctx, f, s.qualifiers[i], progress)
		})
	}
	return work.Wait()
}

// name returns the name of what is invoked for a function.
func (s *stand) name(f *function) string {
	if s.inPlace {
		return f.name
	}
	return copyName(s.journal.begin.Run, f.name)
}

// note records a change, unless the session is to end.
func (s *stand) note(ctx context.Context, c change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := s.journal.record(c)
	return err
}

// copy makes a copy of a function, with an alias for every size.
func (s *stand) copy(ctx context.Context, f *function, aliases map[int]string, progress func()) error {
	c, run := s.client, s.journal.begin.Run
	name := copyName(run, f.name)
	code, err := c.fetchCode(ctx, f)
	if err != nil {
		return err
	}
	if err := s.note(ctx, change{Kind: createFunction, Function: name}); err != nil {
		return err
	}
	// A change that is under way is not interrupted: nobody would know whether
	// it was made before or after it was undone.
	_, err = c.lambda.CreateFunction(context.WithoutCancel(ctx), f.copyInput(name, run, code))
	if hasCode(err, codeConflict) {
		// Made by our own call, if its answer was lost.
		if found, e := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &name}); e == nil && found.Tags[tagRun] == run {
			err = nil
		}
	}
	if err != nil {
		return explain("function "+f.name+" cannot be copied to "+name, err)
	}
	waiter := lambda.NewFunctionActiveV2Waiter(c.lambda, func(o *lambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = c.settings.Poll, max(c.settings.Poll, 5*time.Second)
	})
	if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, settleTime); err != nil {
		return explain("function "+name+" does not become active", err)
	}
	for k, size := range f.sizes {
		if k > 0 {
			if err := s.note(ctx, change{Kind: onCopy, Function: name, MemoryMB: size}); err != nil {
				return err
			}
			if err := c.setMemory(ctx, name, size); err != nil {
				return err
			}
		}
		alias := "mb" + strconv.Itoa(size)
		if err := s.note(ctx, change{Kind: onCopy, Function: name, MemoryMB: size, Alias: alias}); err != nil {
			return err
		}
		version, err := c.publish(ctx, name, versionNote(run))
		if err != nil {
			return err
		}
		if err := c.alias(ctx, name, alias, version); err != nil {
			return err
		}
		aliases[size] = alias
		progress()
	}
	return nil
}

// alias makes an alias of a version of a copy.
func (c *Client) alias(ctx context.Context, name, alias, version string) error {
	_, err := c.lambda.CreateAlias(context.WithoutCancel(ctx), &lambda.CreateAliasInput{FunctionName: &name, Name: &alias, FunctionVersion: &version})
	if hasCode(err, codeConflict) {
		found, e := c.lambda.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &name, Name: &alias})
		if e == nil && aws.ToString(found.FunctionVersion) == version {
			return nil
		}
	}
	if err != nil {
		return explain(fmt.Sprintf("alias %s of function %s cannot be made", alias, name), err)
	}
	return nil
}

// change publishes a version of the function itself for every size.
func (s *stand) change(ctx context.Context, f *function, versions map[int]string, progress func()) error {
	c, run := s.client, s.journal.begin.Run
	before, err := c.versions(ctx, f.name)
	if err != nil {
		return explain("the versions of function "+f.name+" cannot be listed", err)
	}
	var numbers []string
	for _, v := range before {
		numbers = append(numbers, v.number)
	}
	was := int(aws.ToInt32(f.config.MemorySize))
	for _, size := range f.sizes {
		if err := s.note(ctx, change{Kind: setMemory, Function: f.name, MemoryMB: size, BeforeMB: was}); err != nil {
			return err
		}
		if err := c.setMemory(ctx, f.name, size); err != nil {
			return err
		}
		if err := s.note(ctx, change{Kind: publishVersion, Function: f.name, MemoryMB: size, Versions: numbers}); err != nil {
			return err
		}
		if versions[size], err = c.publish(ctx, f.name, versionNote(run)); err != nil {
			return err
		}
		progress()
	}
	return nil
}
