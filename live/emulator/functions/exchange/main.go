// Command exchange is a Lambda function bound by its object store: it reads what
// the last run wrote, adds one to every byte and writes it back.
package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/aws/aws-lambda-go/lambda"

	"eevee/live/emulator/functions/stage"
)

// size is how many bytes all instances read and write together.
const size = 16 << 20

func main() {
	store := stage.OpenStore()
	lambda.Start(func(ctx context.Context, e stage.Event) (stage.Answer, error) {
		if store == nil {
			return stage.Answer{}, errors.New("STORE_URL is not set; it names the bucket to read and write")
		}
		n := e.Share(size)
		key := fmt.Sprintf("exchange-%d-%d", e.Instance, n)
		read := func() ([]byte, error) {
			data, err := store.Get(ctx, key)
			if err == stage.ErrNoObject {
				return make([]byte, n), nil // the first run
			}
			return data, err
		}
		compute := func(data []byte) (string, []byte) {
			for i := range data {
				data[i]++
			}
			return fmt.Sprintf("%08x", crc32.ChecksumIEEE(data)), data
		}
		return stage.Run(e, read, compute, func(data []byte) error { return store.Put(ctx, key, data) })
	})
}
