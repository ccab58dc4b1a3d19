package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-lxmert/lxmert/serve"
	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/service"
)

// serveFlags are serve's.
type serveFlags struct {
	config                      serve.Config
	models, detectors           []string
	labels                      string
	tokenFile                   string
	origins, hosts, fetchFrom   []string
	fetch                       bool
	batchWait                   time.Duration
	cacheMB, maxFileMB, maxBody int64
	maxMegapixels               float64
	logFormat, logLevel, check  string
	watch                       time.Duration
	detector                    detectorFlags
	noPage                      bool
	dtype                       dtypeFlag
}

func newServe() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a page to ask pictures on, and an API that clients speak already",
		Long: `Serve answers over HTTP: a page on which people ask pictures and see why (at /), the server's own API (described at /docs and /openapi.json), and
those of Hugging Face's inference clients, of the Open Inference Protocol v2 (KServe, Triton; with --grpc-addr over gRPC too) and a small part of OpenAI's.

Without --model the shipped model is served, which knows a small drawn world. --model may be given several times, as a directory or a name on the hub, and
with a name of its own: --model vqa=DIR. --detector is for all of them, or for one: --detector vqa=DIR; without it each has the one that ask would take.

It listens for its own machine alone, unless --addr says otherwise; then give it --token-file, and TLS here or before it. Everything has a limit: bodies,
pixels, questions, requests at work and waiting, time. On SIGTERM and on interrupt it takes no more requests, answers those that it has, and ends; on SIGHUP it loads
its models anew, while those that are there go on.

docs/operations.md says how to run it, docs/api.md how to call it.`,
		Example: `  lxmert serve
  lxmert serve --addr :8080 --token-file tokens --model vqa=unc-nlp/lxmert-vqa-uncased --detector unc-nlp/frcnn-vg-finetuned
  lxmert serve --grpc-addr 127.0.0.1:8081 --admin-addr 127.0.0.1:9090 --log-format json
  lxmert serve --check http://127.0.0.1:8080`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.check != "" {
				return checkServer(cmd.Context(), f.check)
			}
			if err := f.complete(cmd); err != nil {
				return err
			}
			return f.run(cmd)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config.Addr, "addr", serve.DefaultAddr, "listen at `host:port`; a host left out is every address of the machine")
	flags.StringVar(&f.config.GRPCAddr, "grpc-addr", "", "speak the Open Inference Protocol over gRPC at `host:port`")
	flags.StringVar(&f.config.AdminAddr, "admin-addr", "", "metrics and profiles at `host:port`, for who runs the server: nobody is asked for a token there")
	flags.StringArrayVar(&f.models, "model", nil, "serve a model: `[NAME=]DIR`, or its name on the hub; may be repeated (default: the shipped model)")
	flags.StringVar(&f.labels, "labels", "", "answer table `file` of the first model (default: labels.json, or id2label of config.json, in its directory)")
	flags.StringArrayVar(&f.detectors, "detector", nil, "what finds regions: `[NAME=]DETECTOR`, as ask has it, for all models or for the one of that name")
	f.detector.addOptions(cmd, "detector-dtype")
	f.dtype.add(cmd)
	flags.DurationVar(&f.watch, "watch", 0, "look every `time` (such as 10s) for new files of the models, and load them (default: only on SIGHUP)")
	backendFlag(cmd, &f.config.Service.Backend)

	flags.StringVar(&f.tokenFile, "token-file", "", "ask for a bearer token: one of this `file`, a line each (default: none is asked for)")
	flags.StringVar(&f.config.TLSCert, "tls-cert", "", "`file` of the certificate, PEM; it may be replaced while the server runs")
	flags.StringVar(&f.config.TLSKey, "tls-key", "", "`file` of its key")
	flags.StringArrayVar(&f.origins, "allow-origin", nil, "let pages of this `origin` (https://app.example.org) call the API; * is all; may be repeated (default: only the server's own page)")
	flags.StringArrayVar(&f.hosts, "allow-host", nil, "answer only to this `name`; may be repeated (default: any; at a loopback address only to that)")
	flags.BoolVar(&f.fetch, "allow-fetch", false, "let requests name pictures by URL; only public addresses are fetched from")
	flags.StringArrayVar(&f.fetchFrom, "fetch-from", nil, "with --allow-fetch: only from this `host`, or with a dot before it from all below; may be repeated")

	flags.Int64Var(&f.maxBody, "max-body", 0, "`bytes` of a request's body (default: two pictures in base64, 54 MB)")
	flags.Int64Var(&f.maxFileMB, "max-file", 20, "`megabytes` of a picture's file, 64 at most")
	flags.Float64Var(&f.maxMegapixels, "max-pixels", 40, "`millions` of pixels of a picture, 67 at most")
	flags.IntVar(&f.config.Service.MaxQuestions, "max-questions", 64, "questions in a request")
	flags.IntVar(&f.config.Service.MaxQuestionBytes, "max-question-bytes", 4096, "`bytes` of a question")
	flags.IntVar(&f.config.HTTP.Concurrency, "concurrency", serve.DefaultConcurrency, "requests at work at once")
	flags.IntVar(&f.config.HTTP.Queue, "queue", serve.DefaultQueue, "requests that wait for that; beyond it they are refused (429)")
	flags.IntVar(&f.config.MaxConns, "max-conns", 4096, "connections at once")
	flags.DurationVar(&f.config.HTTP.Timeout, "timeout", serve.DefaultTimeout, "`time` for a request altogether")
	flags.DurationVar(&f.config.DrainTimeout, "drain-timeout", 30*time.Second, "`time` for the requests under way, when the server is to end")
	flags.IntVar(&f.config.Service.Batch, "batch", 32, "questions in a forward pass, at most")
	flags.DurationVar(&f.batchWait, "batch-wait", 2*time.Millisecond, "`time` that a question waits for others on their way, at most; 0 is not at all")
	flags.Int64Var(&f.cacheMB, "cache-bytes", 256<<20, "`bytes` of memory for the regions of pictures that were seen; 0 is none")

	flags.BoolVar(&f.config.HTTP.AllowReload, "allow-reload", false, "let a request have a model loaded anew from its files (POST /v2/repository/models/NAME/load)")
	flags.BoolVar(&f.noPage, "no-page", false, "the API alone, without the page")
	flags.StringVar(&f.logFormat, "log-format", "text", "`text` or json")
	flags.StringVar(&f.logLevel, "log-level", "info", "`debug`, info, warn or error")
	flags.StringVar(&f.config.OTLPEndpoint, "otlp-endpoint", "", "send traces to a collector of OpenTelemetry at `URL`, such as http://localhost:4318")
	flags.StringVar(&f.check, "check", "", "ask the server at `URL` whether it is ready, and end: 0 if it is")
	return cmd
}

// complete turns flags into the server's configuration.
func (f *serveFlags) complete(cmd *cobra.Command) error {
	c := &f.config
	if f.batchWait < 0 || f.cacheMB < 0 || f.watch < 0 || c.HTTP.Timeout <= 0 || c.DrainTimeout <= 0 || c.HTTP.Concurrency < 1 || c.HTTP.Queue < 0 || c.MaxConns < 1 || f.maxBody < 0 ||
		f.maxFileMB < 1 || f.maxMegapixels <= 0 {
		return usagef("%s: limits and times want to be above 0 (--batch-wait, --cache-bytes, --watch, --queue and --max-body may be 0)", cmd.CommandPath())
	}
	c.Service.BatchWait, c.Service.CacheBytes, c.Service.Watch = orNone(f.batchWait), orNone(f.cacheMB), f.watch
	c.Service.MaxFileBytes, c.Service.MaxPixels, c.HTTP.MaxBody = f.maxFileMB<<20, int(f.maxMegapixels*1e6), f.maxBody
	c.HTTP.Queue = orNone(c.HTTP.Queue)
	c.HTTP.NoPage, c.HTTP.Hosts = f.noPage, f.hosts
	if len(f.fetchFrom) > 0 && !f.fetch {
		return usagef("%s: --fetch-from is for --allow-fetch, which is not given", cmd.CommandPath())
	}
	if f.fetch {
		c.Service.Fetch = &service.Fetcher{Hosts: f.fetchFrom}
	}
	var err error
	if c.HTTP.Origins, err = guard.ParseOrigins(f.origins...); err != nil {
		return usageError{fmt.Errorf("--allow-origin: %w", err)}
	}
	if f.tokenFile != "" {
		if c.HTTP.Tokens, err = guard.ReadTokens(f.tokenFile); err != nil {
			return fmt.Errorf("--token-file: %w", err)
		}
	}
	if c.Log, err = newLog(cmd, f.logFormat, f.logLevel); err != nil {
		return err
	}
	c.Service.Models, err = f.sources(cmd)
	c.Version = version()
	return err
}

// orNone is what options take for none: less than 0.
func orNone[T int | int64 | time.Duration](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

// newLog logs to the error stream.
func newLog(cmd *cobra.Command, format, level string) (*slog.Logger, error) {
	var o slog.HandlerOptions
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level: found %q, want debug, info, warn or error", level)
	}
	o.Level = l
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), &o)), nil
	}
	return nil, usagef("--log-format: found %q, want text or json", format)
}

// run serves until the context or a signal ends it.
func (f *serveFlags) run(cmd *cobra.Command) error {
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)
	again := make(chan struct{})
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-reload:
			}
			select {
			case again <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	f.config.Reload = again
	f.config.Ready = func(at serve.Listening) {
		scheme := "http"
		if f.config.TLSCert != "" {
			scheme = "https"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "listening on %s://%s/\n", scheme, at.HTTP)
		if at.GRPC != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "gRPC on %s\n", at.GRPC)
		}
		if at.Admin != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "metrics on http://%s/metrics\n", at.Admin)
		}
	}
	return serve.Run(ctx, f.config)
}

// checkServer asks a server whether it is ready.
func checkServer(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/v2/health/ready", nil)
	if err != nil {
		return usageError{fmt.Errorf("--check: %w", err)}
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("--check: %w", errors.Unwrap(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("--check: %s is not ready: it answers %s", url, answer.Status)
	}
	return nil
}
