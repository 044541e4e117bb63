package logs

// cutInstant reads the instant that a line begins with, such as
// "2026-10-08T14:05:27.768Z ", "2026-10-08T14:05:27.768000+00:00 " or
// "2026-10-08 14:05:27.768", and returns it in nanoseconds since the epoch with
// what follows it and the blank after it. Without a zone it is UTC. A whole log
// has one per line, for which time.Parse is too slow.
func cutInstant(text string) (ns int64, rest string, ok bool) {
	const form = "0000-00-00T00:00:00"
	if len(text) < len(form) {
		return 0, text, false
	}
	for i := range len(form) {
		c := text[i]
		switch form[i] {
		case '0':
			if c < '0' || c > '9' {
				return 0, text, false
			}
		case 'T':
			if c != 'T' && c != ' ' {
				return 0, text, false
			}
		default:
			if c != form[i] {
				return 0, text, false
			}
		}
	}
	year, month, day := two(text[0:])*100+two(text[2:]), two(text[5:]), two(text[8:])
	hour, minute, second := two(text[11:]), two(text[14:]), two(text[17:])
	if year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return 0, text, false
	}
	seconds := daysBefore(year, month, day)*86400 + hour*3600 + minute*60 + second
	rest = text[len(form):]
	fraction, unit := int64(0), int64(1_000_000_000)
	if len(rest) > 1 && (rest[0] == '.' || rest[0] == ',') {
		for rest = rest[1:]; len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9'; rest = rest[1:] {
			if unit > 1 {
				unit /= 10
				fraction += int64(rest[0]-'0') * unit
			}
		}
	}
	switch {
	case len(rest) > 0 && rest[0] == 'Z':
		rest = rest[1:]
	case len(rest) >= 6 && (rest[0] == '+' || rest[0] == '-') && digits(rest[1:3]) && rest[3] == ':' && digits(rest[4:6]):
		offset := two(rest[1:])*3600 + two(rest[4:])*60
		if rest[0] == '+' {
			offset = -offset
		}
		seconds, rest = seconds+offset, rest[6:]
	case len(rest) >= 5 && (rest[0] == '+' || rest[0] == '-') && digits(rest[1:5]):
		offset := two(rest[1:])*3600 + two(rest[3:])*60
		if rest[0] == '+' {
			offset = -offset
		}
		seconds, rest = seconds+offset, rest[5:]
	}
	if seconds < 0 {
		return 0, text, false
	}
	if len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		rest = rest[1:]
	}
	return seconds*1_000_000_000 + fraction, rest, true
}

// wholeInstant reads a text that is an instant and nothing else.
func wholeInstant(text string) (int64, bool) {
	ns, rest, ok := cutInstant(text)
	return ns, ok && rest == ""
}

func two(text string) int64 { return int64(text[0]-'0')*10 + int64(text[1]-'0') }

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return true
}

// daysBefore returns the days from 1970-01-01 to a date of the Gregorian
// calendar. Years are counted from March, so that the leap day is the last.
func daysBefore(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	const epoch = 719468 // days from 0000-03-01 to 1970-01-01
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - epoch
}
