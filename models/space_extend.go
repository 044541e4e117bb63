package models

// Extends reports whether some admissible configuration of the space gives
// every decided stage of c its parallelism. A stage of parallelism 0 is not
// decided. Rules do not look at memory, nor does Extends.
func (s *Space) Extends(c Config) bool {
	d := make([]int, len(c))
	for i := range c {
		d[i] = c[i].Parallelism
	}
	return s.extend(d, 0)
}

// extend assigns a parallelism to every undecided stage from i on.
func (s *Space) extend(d []int, i int) bool {
	for i < len(d) && (d[i] != 0 || !s.coupled(i)) {
		i++
	}
	if i == len(d) {
		return s.keepsRules(d)
	}
	for _, c := range s.choices[i] {
		if d[i] == c.Parallelism {
			continue
		}
		if d[i] = c.Parallelism; s.keepsRules(d) && s.extend(d, i+1) {
			d[i] = 0
			return true
		}
	}
	d[i] = 0
	return false
}

// coupled reports whether a rule looks at stage i.
func (s *Space) coupled(i int) bool {
	for _, r := range s.rules {
		if r.Stage == i || r.Of == i {
			return true
		}
	}
	return false
}

// keepsRules reports whether no rule between two stages that are not 0 is
// broken.
func (s *Space) keepsRules(d []int) bool {
	for _, r := range s.rules {
		if a, b := d[r.Stage], d[r.Of]; a != 0 && b != 0 && !r.Admits(a, b) {
			return false
		}
	}
	return true
}
