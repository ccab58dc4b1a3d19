//go:build mpi

package mpi_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/cluster/mpi"
	"github.com/go-lxmert/lxmert/internal/mpirun"
)

// TestRank is no test, but the program on each rank of the others.
func TestRank(t *testing.T) {
	program := mpirun.Args(t)[0]
	w, err := mpi.Open(map[string]time.Duration{"late": time.Second}[program] + 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	switch program {
	case "all":
		err = work(w)
	case "late":
		if w.Rank() == 1 {
			time.Sleep(time.Minute)
		}
		_, err = w.Share(nil)
		if again := w.Sum([]float32{1}); again != err {
			err = fmt.Errorf("after %v: %v", err, again)
		}
	case "sum": // as if by a rank that has gone astray
		if w.Rank() == 1 {
			time.Sleep(time.Minute)
		}
		err = w.Sum([]float32{1})
	}
	if err != nil {
		fmt.Printf("rank %d: %v\n", w.Rank(), err)
	}
	if w.Close() != nil || err != nil {
		os.Exit(3)
	}
	if _, err := w.Share(nil); err == nil {
		t.Error("a closed world: no error")
	}
}

// work does everything that a world can, and says what is wrong.
func work(w *mpi.World) error {
	rank, n := w.Rank(), w.Size()
	if text := w.String(); w.Sharers() < 1 || w.Sharers() > n || !strings.Contains(text, fmt.Sprintf("%d ranks on one machine", n)) {
		return fmt.Errorf("%s, %d of which share processors", text, w.Sharers())
	}
	for _, size := range []int{0, 1, 7, 1 << 20} {
		values := make([]float32, size)
		for i := range values {
			values[i] = float32((rank + 1) * (i % 1000))
		}
		if err := w.Sum(values); err != nil {
			return err
		}
		for i, v := range values {
			if want := float32(n * (n + 1) / 2 * (i % 1000)); v != want {
				return fmt.Errorf("number %d of %d is %v, want %v", i, size, v, want)
			}
		}
		// Messages of all lengths: MPI sends long ones otherwise than short ones.
		all, err := w.Share(bytes.Repeat([]byte{byte(rank)}, size*rank))
		if err != nil {
			return err
		}
		for from, message := range all {
			if !slices.Equal(message, bytes.Repeat([]byte{byte(from)}, size*from)) {
				return fmt.Errorf("%d bytes from rank %d, want %d", len(message), from, size*from)
			}
		}
		send, receive := make([]byte, size*n), make([]byte, size*n)
		for i := range send {
			send[i] = byte(10*rank + i/max(1, size))
		}
		if err := w.Exchange(send, receive); err != nil {
			return err
		}
		for i, got := range receive {
			if want := byte(10*(i/size) + rank); got != want {
				return fmt.Errorf("byte %d of %d exchanged is %d, want %d", i, len(receive), got, want)
			}
		}
	}
	if err := w.Exchange(make([]byte, n), make([]byte, n+1)); err == nil {
		return fmt.Errorf("room of another size: no error")
	}
	return nil
}

// TestWorld has 1, 2 and 4 ranks do all they can.
func TestWorld(t *testing.T) {
	for _, n := range []int{1, 2, 4} {
		if code, said := mpirun.Start(t, "TestRank", n, func(int) []string { return []string{"all"} }).End(); code != 0 {
			t.Errorf("%d ranks: exit code %d: %s", n, code, said)
		}
	}
}

// TestLate: who waits for a rank that does not come says which it is, and all end.
func TestLate(t *testing.T) {
	for program, want := range map[string]string{"late": "did not answer for 3s", "sum": "rank 0: a rank did not answer for 2s, in the midst of a sum"} {
		start := time.Now()
		code, said := mpirun.Start(t, "TestRank", 3, func(int) []string { return []string{program} }).End()
		if took := time.Since(start); code == 0 || !strings.Contains(said, want) || took > 15*time.Second {
			t.Errorf("exit code %d after %v: %s", code, took, said)
		}
		if program == "late" && (!strings.Contains(said, "rank 0: rank 1 (on ") || strings.Contains(said, "after ")) {
			t.Errorf("%s", said)
		}
	}
}

// TestOpen refuses a patience of nothing.
func TestOpen(t *testing.T) {
	if _, err := mpi.Open(0); err == nil {
		t.Error("no error")
	}
}
