// Command hash is a Lambda function bound by the CPU: it hashes a block over and
// over.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/aws/aws-lambda-go/lambda"

	"eevee/live/emulator/functions/stage"
)

// rounds is how often a block of 64 bytes is hashed: some 0.2 s on one CPU of
// 2024.
const rounds = 2_000_000

func main() {
	store := stage.OpenStore()
	lambda.Start(func(ctx context.Context, e stage.Event) (stage.Answer, error) {
		key := fmt.Sprintf("hash-%d", e.Instance)
		read := func() ([]byte, error) {
			if store == nil {
				return nil, nil
			}
			previous, err := store.Get(ctx, key)
			if err == stage.ErrNoObject {
				return nil, nil // the first run
			}
			return previous, err
		}
		compute := func([]byte) (string, []byte) {
			block := sha256.Sum256([]byte{byte(e.Instance)})
			for range e.Share(rounds) {
				block = sha256.Sum256(block[:])
			}
			return hex.EncodeToString(block[:4]), block[:]
		}
		return stage.Run(e, read, compute, func(data []byte) error {
			if store == nil {
				return nil
			}
			return store.Put(ctx, key, data)
		})
	})
}
