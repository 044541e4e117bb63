package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"eevee/live/emulator"
)

// deploy builds the functions and creates them in the emulated account.
func deploy(ctx context.Context, e *emulator.Emulator, store string) error {
	c := lambda.New(lambda.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(e.URL()),
		Credentials: credentials.NewStaticCredentialsProvider(emulator.AccessKey, emulator.Secret, ""),
	})
	for _, name := range functions {
		code, err := build(ctx, name)
		if err != nil {
			return err
		}
		_, err = c.CreateFunction(ctx, &lambda.CreateFunctionInput{
			FunctionName: &name, Role: aws.String("arn:aws:iam::" + account + ":role/demo"), Runtime: types.RuntimeProvidedal2023,
			Handler: aws.String("bootstrap"), MemorySize: aws.Int32(128), Timeout: aws.Int32(60), Code: &types.FunctionCode{ZipFile: code},
			Environment: &types.Environment{Variables: map[string]string{"STORE_URL": store}},
		})
		if err != nil {
			return err
		}
		waiter := lambda.NewFunctionActiveV2Waiter(c, func(o *lambda.FunctionActiveV2WaiterOptions) { o.MinDelay = settle })
		if err := waiter.Wait(ctx, &lambda.GetFunctionInput{FunctionName: &name}, time.Minute); err != nil {
			return err
		}
	}
	return nil
}

// build builds a function for the runtime provided.al2023 and packs it.
func build(ctx context.Context, name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "eevee-demo-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bootstrap")
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "eevee/live/emulator/functions/"+name)
	c.Env, c.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("function %s cannot be built: %w", name, err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	f, err := w.CreateHeader(header)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(program); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
