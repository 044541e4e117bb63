package logs

import (
	"errors"
	"math"
	"math/bits"
	"strings"
)

var (
	errNotNumber = errors.New("is not a decimal number")
	errTooLarge  = errors.New("is too large")
)

// scaled reads a decimal number such as "1642829641.25" or "-3e-2" and returns
// it times factor times ten to the power shift, rounded to the nearest
// integer, halves away from 0. A float64 between the digits and the integer
// would lose the nanoseconds of an instant.
func scaled[S string | []byte](text S, shift int, factor int64) (int64, error) {
	var digits uint64
	point, seen, negative := 0, false, false
	i := 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		negative = text[i] == '-'
		i++
	}
	fraction := false
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && !fraction {
			fraction = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if digits >= math.MaxInt64/10 {
			if !fraction {
				return 0, errTooLarge
			}
			continue // beyond what an int64 holds: below any unit of a trace
		}
		digits = digits*10 + uint64(c-'0')
		if fraction {
			point++
		}
	}
	if !seen {
		return 0, errNotNumber
	}
	if i < len(text) {
		power, err := exponent(text[i:])
		if err != nil {
			return 0, err
		}
		point -= power
	}
	high, n := bits.Mul64(digits, uint64(factor))
	half := false
	for shift -= point; shift < 0 && (high > 0 || n > 0 || half); shift++ {
		var rest uint64
		high, rest = high/10, high%10
		n, rest = bits.Div64(rest, n, 10)
		half = rest >= 5
	}
	for ; shift > 0 && n > 0; shift-- {
		if high > 0 || n > math.MaxInt64/10 {
			return 0, errTooLarge
		}
		n *= 10
	}
	if half {
		n++
	}
	if high > 0 || n > math.MaxInt64 {
		return 0, errTooLarge
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

// exponent reads "e-3" and "E+3".
func exponent[S string | []byte](text S) (int, error) {
	if text[0] != 'e' && text[0] != 'E' {
		return 0, errNotNumber
	}
	rest := strings.TrimPrefix(string(text[1:]), "+")
	negative := strings.HasPrefix(rest, "-")
	rest = strings.TrimPrefix(rest, "-")
	if len(rest) == 0 || len(rest) > 3 {
		return 0, errNotNumber
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			return 0, errNotNumber
		}
		n = n*10 + int(c-'0')
	}
	if negative {
		return -n, nil
	}
	return n, nil
}
