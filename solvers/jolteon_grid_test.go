package solvers

import (
	"math/rand/v2"
	"slices"
	"testing"

	"eevee/models"
)

// bundledSpaces returns the spaces of the bundled workflows.
func bundledSpaces(t testing.TB) map[string]*models.Space {
	t.Helper()
	spaces := make(map[string]*models.Space)
	for _, name := range []string{"ml", "video", "tpcds"} {
		def, err := models.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range def.Spaces {
			spaces[name+"/"+s.Name] = s.Space
		}
	}
	return spaces
}

func point(d, v float64) models.Point { return models.Point{Parallelism: d, VCPU: v} }

func TestRoundUp(t *testing.T) {
	spaces := bundledSpaces(t)
	for _, c := range []struct {
		space string
		at    []models.Point
		want  string
	}{
		{"ml/published", []models.Point{point(1, 1.02), point(9.4, 4), point(5.3, 0.6), point(1, 1.12)}, "1x2688MB 16x7168MB 8x1075MB 1x2688MB"},
		// What rounding error leaves of a value on the grid is not rounded up.
		{"ml/published", []models.Point{point(1, 1+1e-9), point(8+1e-8, 0.6+1e-9), point(4, 0.6), point(1, 4+1e-9)}, "1x1792MB 8x1075MB 4x1075MB 1x7168MB"},
		// Four instances of stage 1 have no size below 1 vCPU.
		{"ml/published", []models.Point{point(1, 0.6), point(4, 0.6), point(4, 0.6), point(1, 0.6)}, "1x1075MB 4x1792MB 4x1075MB 1x1075MB"},
		// Stage 2 may not have more instances than stage 1, which is rounded first.
		{"ml/published", []models.Point{point(1, 0.6), point(7, 1), point(9, 1), point(1, 0.6)}, "1x1075MB 8x1792MB 8x1792MB 1x1075MB"},
		// Stage 1 at most twice stage 0.
		{"video/published", []models.Point{point(7.5, 1), point(15.5, 1), point(8.2, 1), point(4, 1)}, "8x1792MB 16x1792MB 8x1792MB 4x1792MB"},
	} {
		g := newGrid(spaces[c.space])
		pick, ok := g.roundUp(c.at)
		if !ok {
			t.Fatalf("%s: nothing to round %v to", c.space, c.at)
		}
		if got := g.space.Config(pick).String(); got != c.want {
			t.Errorf("%s: %v is rounded to %s, want %s", c.space, c.at, got, c.want)
		}
	}
}

// Rounding and every move end inside the space, and a configuration of the
// space is rounded to itself.
func TestRoundingAndMovesAreAdmissible(t *testing.T) {
	for name, space := range bundledSpaces(t) {
		g := newGrid(space)
		source := rand.New(rand.NewPCG(3, 4))
		w := space.Workflow
		for range 300 {
			points := make([]models.Point, w.Len())
			for i := range points {
				points[i] = point(1+60*source.Float64(), 0.3+5*source.Float64())
			}
			pick, ok := g.roundUp(points)
			if !ok {
				t.Fatalf("%s: nothing to round %v to", name, points)
			}
			if _, err := space.Locate(space.Config(pick)); err != nil {
				t.Errorf("%s: rounding: %v", name, err)
			}
			for i, c := range space.Config(pick) {
				points[i] = point(float64(c.Parallelism), c.VCPU)
			}
			if again, _ := g.roundUp(points); !slices.Equal(again, pick) {
				t.Errorf("%s: %v is rounded to %v", name, space.Config(pick), space.Config(again))
			}
			g.moves(pick, func(moved []int) {
				if _, err := space.Locate(space.Config(moved)); err != nil {
					t.Errorf("%s: move from %v: %v", name, space.Config(pick), err)
				}
				if slices.Equal(moved, pick) {
					t.Errorf("%s: a move from %v leads back to it", name, space.Config(pick))
				}
			})
		}
	}
}

// Moves reach the whole space, also where rules couple stages.
func TestMovesReachEverything(t *testing.T) {
	space := bundledSpaces(t)["ml/published"]
	g := newGrid(space)
	pick, ok := g.roundUp(make([]models.Point, space.Workflow.Len()))
	if !ok {
		t.Fatal("nothing to start from")
	}
	seen := map[string]bool{key(pick): true}
	layer := []string{key(pick)}
	for len(layer) > 0 {
		var next []string
		for _, k := range layer {
			decode(k, pick)
			g.moves(pick, func(moved []int) {
				if k := key(moved); !seen[k] {
					seen[k] = true
					next = append(next, k)
				}
			})
		}
		layer = next
	}
	if got, want := int64(len(seen)), space.Size().Int64(); got != want {
		t.Errorf("moves reach %d configurations of %d", got, want)
	}
}
