package solvers

import "slices"

// descending returns the indices of values, the largest value first, of equal
// ones the lowest index.
func descending(values []float64) []int {
	order := indices(len(values))
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case values[a] > values[b]:
			return -1
		case values[a] < values[b]:
			return 1
		}
		return a - b
	})
	return order
}

// indices returns 0, 1, ..., n-1.
func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// largestFirst reorders order so that its first k elements index the k largest
// of values, the k-th largest standing last of them (quickselect, Hoare 1961).
func largestFirst(order []int, values []float64, k int) {
	lo, hi := 0, len(order)-1
	for lo < hi {
		a, b, c := values[order[lo]], values[order[(lo+hi)/2]], values[order[hi]]
		pivot := max(min(a, b), min(max(a, b), c)) // median of three
		i, j := lo, hi
		for i <= j {
			for values[order[i]] > pivot {
				i++
			}
			for values[order[j]] < pivot {
				j--
			}
			if i <= j {
				order[i], order[j] = order[j], order[i]
				i++
				j--
			}
		}
		switch {
		case k-1 <= j:
			hi = j
		case k-1 >= i:
			lo = i
		default:
			return
		}
	}
}
