// Command walk is a Lambda function bound by memory: it follows a random cycle
// through an array that no cache holds.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/aws/aws-lambda-go/lambda"

	"eevee/live/emulator/functions/stage"
)

const (
	cells = 2 << 20 // of 4 bytes: more than a core's own cache
	steps = 4_000_000
)

func main() {
	store := stage.OpenStore()
	cycle := make([]uint32, cells)
	shuffle(cycle)
	lambda.Start(func(ctx context.Context, e stage.Event) (stage.Answer, error) {
		key := fmt.Sprintf("walk-%d", e.Instance)
		compute := func([]byte) (string, []byte) {
			at := uint32(e.Instance) % cells
			for range e.Share(steps) {
				at = cycle[at]
			}
			text := fmt.Sprintf("%08x", at)
			return text, []byte(text)
		}
		return stage.Run(e, func() ([]byte, error) { return nil, nil }, compute, func(data []byte) error {
			if store == nil {
				return nil
			}
			return store.Put(ctx, key, data)
		})
	})
}

// shuffle makes an array one cycle through all its cells (Sattolo's algorithm),
// always the same.
func shuffle(next []uint32) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range next {
		next[i] = uint32(i)
	}
	for i := len(next) - 1; i > 0; i-- {
		j := r.IntN(i)
		next[i], next[j] = next[j], next[i]
	}
}
