package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseArrivals reads the description of arrivals:
//
//	poisson:10/s                  Poisson, 10 per second (also 600/m, 36000/h)
//	gamma:10/s:cv=2               gamma distributed times between arrivals
//	mmpp:1/s@60s,20/s@5s          phases of a rate and a mean duration
//	closed:50:think=1s            50 users who wait 1 s on average (think=1s:fixed: always)
//	file:arrivals.csv             instants, in seconds or RFC 3339
//	minutes:counts.csv            counts per minute, as in the Azure Functions traces
//	minutes:counts.csv:row=HASH   the row that begins with HASH
//
// Files are read at once, and what is wrong in them is reported by row.
func ParseArrivals(text string) (ArrivalProcess, error) {
	kind, rest, _ := strings.Cut(text, ":")
	p, err := parseArrivals(kind, rest)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, fmt.Errorf("arrivals %q: %w", text, err)
	}
	return p, nil
}

// ArrivalsInFile reports whether a description of arrivals, right or not, leaves
// them to a file.
func ArrivalsInFile(text string) bool {
	kind, path, _ := strings.Cut(text, ":")
	return (kind == "file" || kind == "minutes") && path != ""
}

func parseArrivals(kind, rest string) (ArrivalProcess, error) {
	switch kind {
	case "poisson":
		rate, err := parseRate(rest)
		return Poisson{rate}, err
	case "gamma":
		text, cv, ok := strings.Cut(rest, ":cv=")
		if !ok {
			return nil, errors.New("the cv is missing; write gamma:10/s:cv=2")
		}
		rate, err := parseRate(text)
		if err != nil {
			return nil, err
		}
		g := Gamma{Rate: rate}
		if g.CV, err = strconv.ParseFloat(cv, 64); err != nil {
			return nil, fmt.Errorf("cv %q is not a number", cv)
		}
		return g, nil
	case "mmpp":
		var m MMPP
		for _, text := range strings.Split(rest, ",") {
			rate, mean, ok := strings.Cut(text, "@")
			if !ok {
				return nil, fmt.Errorf("phase %q is not RATE@DURATION; write 1/s@60s,20/s@5s", text)
			}
			var p Phase
			var err error
			if p.Rate, err = parseRate(rate); err != nil {
				return nil, err
			}
			if p.Mean, err = parseTime(mean); err != nil {
				return nil, err
			}
			m.Phases = append(m.Phases, p)
		}
		return m, nil
	case "closed":
		users, options, hasThink := strings.Cut(rest, ":think=")
		var c Closed
		var err error
		if c.Users, err = strconv.Atoi(users); err != nil {
			return nil, fmt.Errorf("%q is not a number of users; write closed:50:think=1s", users)
		}
		if hasThink {
			think, fixed, isFixed := strings.Cut(options, ":")
			if isFixed && fixed != "fixed" {
				return nil, fmt.Errorf("option %q is not \"fixed\"", fixed)
			}
			c.Fixed = isFixed
			if c.Think, err = parseTime(think); err != nil {
				return nil, err
			}
		}
		return c, nil
	case "file":
		return ReadReplayed(rest)
	case "minutes":
		path, row, _ := strings.Cut(rest, ":row=")
		return ReadPerMinute(path, row)
	}
	return nil, fmt.Errorf("%q is none of poisson, gamma, mmpp, closed, file, minutes", kind)
}

// parseRate reads a number per second, minute or hour.
func parseRate(text string) (float64, error) {
	number, unit, ok := strings.Cut(text, "/")
	per := map[string]float64{"s": 1, "m": 60, "min": 60, "h": 3600}[unit]
	x, err := strconv.ParseFloat(number, 64)
	if !ok || per == 0 || err != nil {
		return 0, fmt.Errorf("%q is not a rate; write 10/s, 600/m or 36000/h", text)
	}
	return x / per, nil
}

// parseTime reads a time with a unit, or in seconds.
func parseTime(text string) (float64, error) {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		return x, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time; write 500ms, 1s or 2m", text)
	}
	return d.Seconds(), nil
}

// String returns the text of the process.
func (p Poisson) String() string { return fmt.Sprintf("poisson:%v/s", p.Rate) }

// String returns the text of the process.
func (g Gamma) String() string { return fmt.Sprintf("gamma:%v/s:cv=%v", g.Rate, g.CV) }

// String returns the text of the process.
func (m MMPP) String() string {
	var phases []string
	for _, p := range m.Phases {
		phases = append(phases, fmt.Sprintf("%v/s@%vs", p.Rate, p.Mean))
	}
	return "mmpp:" + strings.Join(phases, ",")
}

// String returns the text of the process.
func (c Closed) String() string {
	s := fmt.Sprintf("closed:%d:think=%vs", c.Users, c.Think)
	if c.Fixed {
		s += ":fixed"
	}
	return s
}
