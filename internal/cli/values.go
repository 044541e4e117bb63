package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	ucli "github.com/urfave/cli/v2"
)

// value is the value of a flag, read by a function.
type value[T any] struct {
	to      *T
	text    string
	parse   func(string) (T, error)
	err     error
	offered []string
}

// Set implements ucli.Generic.
func (v *value[T]) Set(text string) error {
	x, err := v.parse(text)
	if err != nil {
		v.err = err
		return err
	}
	*v.to, v.text = x, text
	return nil
}

// String implements ucli.Generic. It returns the text that was read.
func (v *value[T]) String() string { return v.text }

func (v *value[T]) failure() error { return v.err }

func (v *value[T]) offer(words []string) { v.offered = words }

func (v *value[T]) words() []string { return v.offered }

// flagValue is what is asked of a value of whatever type.
type flagValue interface {
	ucli.Generic
	failure() error       // why the text was refused; nil: it was not
	offer(words []string) // to whoever completes the value; others are not refused
	words() []string
}

// valueOf returns the value of a flag that flagOf made; nil for another one.
func valueOf(f ucli.Flag) flagValue {
	if r, ok := f.(repeatedFlag); ok {
		f = r.GenericFlag
	}
	if g, ok := f.(*ucli.GenericFlag); ok {
		return g.Value.(flagValue)
	}
	return nil
}

// offering returns the flag, which offers some words for its value.
func offering(f ucli.Flag, words ...string) ucli.Flag {
	valueOf(f).offer(words)
	return f
}

// flagOf returns a flag whose value is read by parse and stored in to. The name
// is followed by aliases, separated by commas. An empty fallback leaves to as
// it is where the flag is not given.
func flagOf[T any](to *T, name, fallback, usage string, parse func(string) (T, error)) ucli.Flag {
	v := &value[T]{to: to, parse: parse}
	if fallback != "" {
		if err := v.Set(fallback); err != nil {
			panic(fmt.Sprintf("cli: fallback of flag %s: %v", name, err))
		}
	}
	all := strings.Split(name, ",")
	return &ucli.GenericFlag{Name: all[0], Aliases: all[1:], Usage: usage, Value: v}
}

// flags are the flags of a verb.
type flags = []ucli.Flag

// commonFlags are the flags that every verb has.
func commonFlags(c *call) flags {
	return flags{
		switchFlag(&c.json, "json", "print one JSON object on stdout"),
		flagOf(&c.seed, "seed", "1", "`N` from which all randomness follows", parseSeed),
		switchFlag(&c.quiet, "quiet", "print no progress and no remarks"),
		switchFlag(new(bool), "help,h", "explain the verb"),
	}
}

// switchFlag is a flag without a value.
func switchFlag(to *bool, name, usage string) ucli.Flag {
	all := strings.Split(name, ",")
	return &ucli.BoolFlag{Name: all[0], Aliases: all[1:], Usage: usage, Destination: to, DisableDefaultText: true}
}

// textFlag is a flag with a value that may be anything but empty.
func textFlag(to *string, name, fallback, usage string) ucli.Flag {
	return flagOf(to, name, fallback, usage, parseText)
}

func parseText(s string) (string, error) {
	if s == "" {
		return "", errors.New("is empty")
	}
	return s, nil
}

// repeatedFlag is a flag that may be given several times.
type repeatedFlag struct{ *ucli.GenericFlag }

// IsSliceFlag says that it may.
func (repeatedFlag) IsSliceFlag() bool { return true }

// listFlag is a flag whose values, given one by one, make a list.
func listFlag[T any](to *[]T, name, usage string, parse func(string) (T, error)) ucli.Flag {
	f := flagOf(to, name, "", usage, func(s string) ([]T, error) {
		x, err := parse(s)
		return append(*to, x), err
	})
	return repeatedFlag{f.(*ucli.GenericFlag)}
}

// pathsFlag is a flag whose values are files or folders.
func pathsFlag(to *[]string, name, usage string) ucli.Flag {
	return listFlag(to, name, usage, parseText)
}

// choiceFlag is a flag whose value is one of the given words.
func choiceFlag(to *string, name, fallback, usage string, words []string) ucli.Flag {
	return offering(flagOf(to, name, fallback, usage, func(s string) (string, error) {
		if slices.Contains(words, s) {
			return s, nil
		}
		return "", fmt.Errorf("%q is none of %s%s", s, strings.Join(words, ", "), didYouMean(s, words, strconv.Quote))
	}), words...)
}

// countFlag is a flag whose value is a whole number of at least 1.
func countFlag(to *int, name, fallback, usage string) ucli.Flag {
	return flagOf(to, name, fallback, usage, parseCount)
}

// countsFlag is a flag whose value is a list of whole numbers of at least 1.
func countsFlag(to *[]int, name, usage string) ucli.Flag {
	return flagOf(to, name, "", usage, func(s string) ([]int, error) {
		var counts []int
		for part := range strings.SplitSeq(s, ",") {
			n, err := parseCount(strings.TrimSpace(part))
			if err != nil {
				return nil, err
			}
			counts = append(counts, n)
		}
		return counts, nil
	})
}

// secondsFlag is a flag whose value is a time above 0, stored in seconds.
func secondsFlag(to *float64, name, fallback, usage string) ucli.Flag {
	return flagOf(to, name, fallback, usage, parseSeconds)
}

// usdFlag is a flag whose value is an amount of money above 0 in USD.
func usdFlag(to *float64, name, fallback, usage string) ucli.Flag {
	return flagOf(to, name, fallback, usage, parseUSD)
}

// percentFlag is a flag whose value is a percentile or a confidence.
func percentFlag(to *float64, name, fallback, usage string) ucli.Flag {
	return flagOf(to, name, fallback, usage, parsePercentile)
}

// outputFlag is the flag that names the file to write.
func outputFlag(to *string, usage string) ucli.Flag {
	return textFlag(to, "output,o", "", usage)
}

func parseSeed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number from 0 to 2^64-1", s)
	}
	return n, nil
}

func parseCount(s string) (int, error) {
	switch n, err := strconv.Atoi(s); {
	case errors.Is(err, strconv.ErrRange):
		return 0, fmt.Errorf("%s is too large", s)
	case err != nil:
		return 0, fmt.Errorf("%q is not a whole number", s)
	case n < 1:
		return 0, fmt.Errorf("%s is not at least 1", s)
	default:
		return n, nil
	}
}

func parseSeconds(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, fmt.Errorf("%q is not a time; write 40s, 1m30s or 40 (seconds)", s)
		}
		x = d.Seconds()
	}
	return x, checkPositive(s, x)
}

func parseUSD(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not an amount in USD; write 0.012", s)
	}
	return x, checkPositive(s, x)
}

func parsePercent(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a percentage; write 95", s)
	}
	if !(x > 0 && x < 100) {
		return 0, fmt.Errorf("%s is not above 0 and below 100", s)
	}
	return x, nil
}

// parsePercentile reads a percentage that is not meant as a share: nobody asks for
// what 0.95 % of all runs keep.
func parsePercentile(s string) (float64, error) {
	x, err := parsePercent(s)
	if err == nil && x < 1 {
		return 0, fmt.Errorf("%s is less than 1 %%; write %.6g", s, 100*x)
	}
	return x, err
}

func checkPositive(s string, x float64) error {
	if !(x > 0) || math.IsInf(x, 0) {
		return fmt.Errorf("%s is not above 0 and finite", s)
	}
	return nil
}
