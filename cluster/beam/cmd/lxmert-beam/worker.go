package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
)

func newWorker() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Start workers for a runner that asks for them",
		Long: `Worker waits for a runner (--environment_type EXTERNAL --environment_config HOST:PORT), and starts a process for each worker that it
asks for. All it runs is in this program, so a machine needs nothing but it, the models, and the directories that the job names. Whoever can reach the port
can start workers: let nobody but the runner.`,
		Example: `  lxmert-beam worker --listen localhost:50000`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listener, err := net.Listen("tcp", listen)
			if err != nil {
				return err
			}
			program, err := os.Executable()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "waiting for runners at %s\n", listener.Addr())
			return servePool(cmd.Context(), listener, program, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "localhost:50000", "`address` to wait at")
	return cmd
}

// A pool starts a process for each worker (Beam's service BeamFnExternalWorkerPool).
type pool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer
	ctx     context.Context
	program string
	errOut  io.Writer

	lock    sync.Mutex
	workers map[string]context.CancelFunc
	running sync.WaitGroup
}

// servePool serves until ctx ends, and then ends the workers.
func servePool(ctx context.Context, listener net.Listener, program string, errOut io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &pool{ctx: ctx, program: program, errOut: errOut, workers: map[string]context.CancelFunc{}}
	server := grpc.NewServer()
	fnpb.RegisterBeamFnExternalWorkerPoolServer(server, p)
	stop := context.AfterFunc(ctx, server.Stop)
	defer stop()
	err := server.Serve(listener)
	cancel()
	p.running.Wait()
	return err
}

// StartWorker starts a process.
func (p *pool) StartWorker(_ context.Context, req *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse, error) {
	refuse := func(format string, args ...any) (*fnpb.StartWorkerResponse, error) {
		return &fnpb.StartWorkerResponse{Error: fmt.Sprintf(format, args...)}, nil
	}
	id := req.GetWorkerId()
	if req.GetControlEndpoint().GetUrl() == "" || req.GetLoggingEndpoint().GetUrl() == "" {
		return refuse("worker %s: want the addresses of control and logging", id)
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if _, ok := p.workers[id]; ok {
		return refuse("worker %s is running already", id)
	}
	ctx, cancel := context.WithCancel(p.ctx)
	worker := exec.CommandContext(ctx, p.program, "--worker", "--id="+id,
		"--control_endpoint="+req.GetControlEndpoint().GetUrl(), "--logging_endpoint="+req.GetLoggingEndpoint().GetUrl())
	worker.Env = append(os.Environ(), provisions(ctx, req.GetProvisionEndpoint().GetUrl())...)
	worker.Stdout, worker.Stderr = p.errOut, p.errOut
	worker.WaitDelay = 10 * time.Second
	if err := worker.Start(); err != nil {
		cancel()
		return refuse("worker %s: %v", id, err)
	}
	p.workers[id] = cancel
	p.running.Go(func() {
		defer cancel()
		err := worker.Wait()
		p.lock.Lock()
		defer p.lock.Unlock()
		delete(p.workers, id)
		if ctx.Err() == nil {
			fmt.Fprintf(p.errOut, "lxmert-beam: worker %s has ended by itself: %v\n", id, err)
		}
	})
	return &fnpb.StartWorkerResponse{}, nil
}

// StopWorker ends a process.
func (p *pool) StopWorker(_ context.Context, req *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	p.lock.Lock()
	defer p.lock.Unlock()
	if cancel, ok := p.workers[req.GetWorkerId()]; ok {
		cancel()
	}
	return &fnpb.StopWorkerResponse{}, nil
}

// provisions are the variables that tell a worker what the runner can do; none if that does not say it.
func provisions(ctx context.Context, endpoint string) []string {
	if endpoint == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	info, err := tools.ProvisionInfo(ctx, endpoint)
	if err != nil {
		return nil
	}
	variables := []string{"RUNNER_CAPABILITIES=" + strings.Join(info.GetRunnerCapabilities(), " ")}
	if url := info.GetStatusEndpoint().GetUrl(); url != "" {
		variables = append(variables, "STATUS_ENDPOINT="+url)
	}
	return variables
}
