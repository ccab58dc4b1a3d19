package guard

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(2, 3, 10*time.Second)
		var mu sync.Mutex
		var order, refused []int
		for i := range 7 { // two work for four seconds, three wait in order, two are refused
			go func() {
				leave, err := l.Enter(t.Context())
				mu.Lock()
				if err != nil {
					refused = append(refused, i)
				} else {
					order = append(order, i)
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(4 * time.Second)
					leave()
				} else if !errors.Is(err, ErrQueueFull) {
					t.Errorf("%d: %v, want ErrQueueFull", i, err)
				}
			}()
			time.Sleep(100 * time.Millisecond)
		}
		if l.Waiting() != 3 {
			t.Errorf("%d wait, want 3", l.Waiting())
		}
		time.Sleep(5 * time.Second)
		if got := l.RetryAfter(); got != 4*time.Second { // one waits, one more would: 2 × 4 s on two places
			t.Errorf("try again after %v, want 4s", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(order, []int{0, 1, 2, 3, 4}) || !slices.Equal(refused, []int{5, 6}) || l.Waiting() != 0 {
			t.Errorf("worked %v, refused %v, waiting %d", order, refused, l.Waiting())
		}

		one, err := l.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		two, err := l.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Enter(t.Context()); !errors.Is(err, ErrWaited) {
			t.Errorf("after ten seconds: %v, want ErrWaited", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a second: %v, want the context's error", err)
		}
		one()
		two()
		if l.Waiting() != 0 || len(l.places) != 0 {
			t.Errorf("%d wait, %d work", l.Waiting(), len(l.places))
		}
	})
}

func TestLimiterRetryAfter(t *testing.T) {
	l := NewLimiter(1, 0, 0)
	if got := l.RetryAfter(); got != time.Second {
		t.Errorf("of an idle limiter: %v, want a second", got)
	}
	l.mean = time.Hour
	if got := l.RetryAfter(); got != time.Minute {
		t.Errorf("of a hopeless one: %v, want a minute", got)
	}
}

// TestShedding sends far more requests than there are places for. Never do more than two work; every client gets an answer.
func TestShedding(t *testing.T) {
	var atWork, most, done atomic.Int64
	mux := routes()
	mux.HandleFunc("GET /work", func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), atWork.Add(1)))
		time.Sleep(20 * time.Millisecond)
		atWork.Add(-1)
		done.Add(1)
	})
	observer := new(seen)
	server := httptest.NewServer(New(Options{Limiter: NewLimiter(2, 4, 0), Light: Paths{"/health"}, Observer: observer})(mux))
	defer server.Close()
	statuses := make([]int, 60)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() {
			answer, err := http.Get(server.URL + "/work")
			if err != nil {
				t.Error(err)
				return
			}
			defer answer.Body.Close()
			statuses[i] = answer.StatusCode
			if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); answer.StatusCode == 429 && (err != nil || n < 1) {
				t.Errorf("Retry-After %q", answer.Header.Get("Retry-After"))
			}
			if health, err := http.Get(server.URL + "/health"); err != nil || health.StatusCode != 200 {
				t.Errorf("health: %v %v", health, err)
			} else {
				health.Body.Close()
			}
		})
	}
	all.Wait()
	count := map[int]int{}
	for _, status := range statuses {
		count[status]++
	}
	if count[200] != int(done.Load()) || count[200] < 6 || count[200]+count[429] != len(statuses) || count[429] == 0 {
		t.Errorf("statuses %v with %d done", count, done.Load())
	}
	if most.Load() > 2 {
		t.Errorf("%d worked at a time, want at most 2", most.Load())
	}
	observer.mu.Lock()
	defer observer.mu.Unlock()
	if len(observer.rejected) != count[429] || observer.inflight != 0 || observer.waits != len(statuses) {
		t.Errorf("observed %d rejections, %d under way, %d waits", len(observer.rejected), observer.inflight, observer.waits)
	}
}

// TestGoneWhileWaiting ends a client whose request is in the queue: its place in it becomes free.
func TestGoneWhileWaiting(t *testing.T) {
	l := NewLimiter(1, 1, 0)
	leave, err := l.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	observer := new(seen)
	server := httptest.NewServer(New(Options{Limiter: l, Observer: observer})(routes()))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/web/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := http.DefaultClient.Do(r)
		ended <- err
	}()
	until(t, "the request waits", func() bool { return l.Waiting() == 1 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("a cancelled request was answered")
	}
	until(t, "the queue is empty", func() bool { return l.Waiting() == 0 })
	until(t, "the request is logged", func() bool {
		observer.mu.Lock()
		defer observer.mu.Unlock()
		return slices.Equal(observer.requests, []string{" GET 499"}) && len(observer.rejected) == 0
	})
}

// until waits for something that another goroutine brings about.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for range 1000 {
		if true() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("five seconds passed, and it is not so: %s", what)
}
