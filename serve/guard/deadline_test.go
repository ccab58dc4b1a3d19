package guard

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestTimeout(t *testing.T) {
	server := httptest.NewServer(New(Options{Timeout: 100 * time.Millisecond})(routes()))
	defer server.Close()
	for range 2 {
		answer, err := http.Get(server.URL + "/slow")
		if err != nil {
			t.Fatal(err)
		}
		code, _, _ := errorOf(t, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 504 || code != "timeout" {
			t.Errorf("status %d, code %s, want 504 and timeout", answer.StatusCode, code)
		}
	}
}

// TestSlowReader asks for a large answer and does not read it: the handler is not held up for ever.
func TestSlowReader(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the ten seconds that an answer may be late")
	}
	ended := make(chan error, 1)
	server := httptest.NewServer(New(Options{Timeout: 100 * time.Millisecond})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := make([]byte, 1<<20)
		for range 100 {
			if _, err := w.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	})))
	defer server.Close()
	conn := dial(t, server)
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	select {
	case err := <-ended:
		if err == nil {
			t.Error("100 MB went to a client that reads nothing")
		}
	case <-time.After(writeGrace + 5*time.Second):
		t.Error("the handler still writes")
	}
}
