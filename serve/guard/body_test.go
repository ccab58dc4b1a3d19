package guard

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// dial opens a connection to a test server, on which a test writes as it likes.
func dial(t *testing.T, server *httptest.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// receive reads an answer from a connection.
func receive(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func TestBodySize(t *testing.T) {
	server := httptest.NewServer(New(Options{MaxBody: 100_000, MaxBodies: 1})(routes()))
	defer server.Close()
	for size, want := range map[int]int{0: 200, 1: 200, 511: 200, 65_536: 200, 99_999: 200, 100_000: 200, 100_001: 413, 1_000_000: 413} {
		for _, chunked := range []bool{false, true} {
			sent := bytes.Repeat([]byte("x"), size)
			var body io.Reader = bytes.NewReader(sent)
			if chunked {
				body = struct{ io.Reader }{body}
			}
			answer, err := http.Post(server.URL+"/v1/echo/x", "text/plain", body)
			if err != nil {
				t.Errorf("%d bytes, chunked %v: %v", size, chunked, err)
				continue
			}
			got, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err != nil || answer.StatusCode != want {
				t.Errorf("%d bytes, chunked %v: status %d, want %d; %v", size, chunked, answer.StatusCode, want, err)
			} else if want == 200 && !bytes.Equal(got, sent) {
				t.Errorf("%d bytes, chunked %v: %d came back", size, chunked, len(got))
			} else if want == 413 {
				if code, message, _ := errorOf(t, bytes.NewReader(got)); code != "too_large" || !strings.Contains(message, "100000 bytes") {
					t.Errorf("code %s: %s", code, message)
				}
			}
		}
	}
}

// TestBodyRefusedEarly claims a body that is too large, or sends one without a token, and waits for the answer before sending any of it.
func TestBodyRefusedEarly(t *testing.T) {
	tokens, err := NewTokens(goodToken)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(New(Options{MaxBody: 1000, Tokens: tokens, BodyTimeout: 10 * time.Second})(routes()))
	defer server.Close()
	for _, c := range []struct {
		token  string
		length int
		status int
	}{{goodToken, 1001, 413}, {"wrong", 1000, 401}} {
		began := time.Now()
		conn := dial(t, server)
		fmt.Fprintf(conn, "POST /v1/echo/x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", c.token, c.length)
		answer := receive(t, conn)
		if answer.StatusCode != c.status || !answer.Close {
			t.Errorf("status %d, want %d; closes: %v", answer.StatusCode, c.status, answer.Close)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("status %d came after %v, want it before the body", c.status, took)
		}
		if _, err := io.Copy(io.Discard, conn); err != nil || time.Since(began) > 5*time.Second {
			t.Errorf("status %d: the connection ended after %v: %v", c.status, time.Since(began), err)
		}
	}
}

// TestSlowBody sends a byte now and then. It is cut, and has not taken the only place meanwhile.
func TestSlowBody(t *testing.T) {
	observer := new(seen)
	server := httptest.NewServer(New(Options{BodyTimeout: 500 * time.Millisecond, Limiter: NewLimiter(1, -1, 0), Observer: observer})(routes()))
	defer server.Close()
	slow := dial(t, server)
	began := time.Now()
	fmt.Fprint(slow, "POST /v1/echo/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
	go func() {
		for range 50 {
			if _, err := slow.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	time.Sleep(100 * time.Millisecond)
	quick, err := http.Post(server.URL+"/v1/echo/quick", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	quick.Body.Close()
	if quick.StatusCode != 200 {
		t.Errorf("beside a slow body: status %d, want 200", quick.StatusCode)
	}
	answer := receive(t, slow)
	if code, _, _ := errorOf(t, answer.Body); answer.StatusCode != 408 || code != "body_timeout" || !answer.Close {
		t.Errorf("status %d, code %s, closes %v", answer.StatusCode, code, answer.Close)
	}
	if took := time.Since(began); took < 400*time.Millisecond || took > 5*time.Second {
		t.Errorf("cut after %v, want about 500 ms", took)
	}
	observer.mu.Lock()
	defer observer.mu.Unlock()
	if len(observer.rejected) != 1 || observer.rejected[0] != "slow" {
		t.Errorf("observed %v", observer.rejected)
	}
}

// TestSlowBodyHTTP2 does the same on a stream of HTTP/2, where a deadline must not end the other streams.
func TestSlowBodyHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(New(Options{BodyTimeout: 300 * time.Millisecond})(routes()))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	body, feed := io.Pipe()
	defer feed.Close()
	answers := make(chan *http.Response, 1)
	go func() {
		answer, err := server.Client().Post(server.URL+"/v1/echo/slow", "text/plain", body)
		if err != nil {
			t.Error(err)
		}
		answers <- answer
	}()
	if _, err := feed.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	answer := <-answers
	if answer == nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != 408 || answer.ProtoMajor != 2 {
		t.Errorf("status %d over %s, want 408 over HTTP/2", answer.StatusCode, answer.Proto)
	}
	again, err := server.Client().Post(server.URL+"/v1/echo/quick", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	again.Body.Close()
	if again.StatusCode != 200 || again.TLS.Version < tls.VersionTLS12 {
		t.Errorf("the next request: status %d", again.StatusCode)
	}
}

func TestBrokenBody(t *testing.T) {
	server := httptest.NewServer(New(Options{})(routes()))
	defer server.Close()
	for _, text := range []string{
		"POST /v1/echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort",
		"POST /v1/echo/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnot a chunk\r\n\r\n",
	} {
		conn := dial(t, server)
		fmt.Fprint(conn, text)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		answer := receive(t, conn)
		if code, message, _ := errorOf(t, answer.Body); answer.StatusCode != 400 || code != "invalid_request" || strings.Contains(message, "127.0.0.1") {
			t.Errorf("%q: status %d, %s: %s", text, answer.StatusCode, code, message)
		}
	}
}

// TestBodyDeadlineEnds lets a request work for longer than its body might have taken: the deadline of the body must not end the work.
func TestBodyDeadlineEnds(t *testing.T) {
	h := New(Options{BodyTimeout: 100 * time.Millisecond})(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			t.Errorf("%s: the work was ended: %v", r.Method, r.Context().Err())
		case <-time.After(300 * time.Millisecond):
		}
	}))
	server := httptest.NewServer(h)
	defer server.Close()
	for range 2 { // on one connection
		for _, method := range []string{"GET", "POST"} {
			r, err := http.NewRequest(method, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			if method == "POST" {
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader("hello")), 5
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != 200 {
				t.Errorf("%s: status %d", method, answer.StatusCode)
			}
		}
	}
}

// TestBodiesTogether fills the memory for all bodies with slow ones, and gets it back.
func TestBodiesTogether(t *testing.T) {
	g := New(Options{MaxBody: 200_000, MaxBodies: 300_000})
	server := httptest.NewServer(g(routes()))
	defer server.Close()
	slow := dial(t, server)
	fmt.Fprintf(slow, "POST /v1/echo/x HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n%s", strings.Repeat("x", 199_999))
	post := func() *http.Response {
		answer, err := http.Post(server.URL+"/v1/echo/x", "text/plain", strings.NewReader(strings.Repeat("y", 190_000)))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer
	}
	time.Sleep(500 * time.Millisecond) // for the slow one's bytes: another that comes before them takes their room
	answer := post()
	if n, err := strconv.Atoi(answer.Header.Get("Retry-After")); answer.StatusCode != 429 || err != nil || n < 1 {
		t.Errorf("with no room: status %d, Retry-After %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
	fmt.Fprint(slow, "x")
	if answer := receive(t, slow); answer.StatusCode != 200 {
		t.Errorf("the slow one: status %d", answer.StatusCode)
	}
	until(t, "there is room again", func() bool { return post().StatusCode == 200 })
}

func TestReadBody(t *testing.T) {
	b := &budget{most: 1 << 20}
	for _, size := range []int{0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 300_000} {
		for _, claimed := range []int64{-1, int64(size), 10} { // a server never hands on more than is claimed, but who knows
			sent := bytes.Repeat([]byte("abc"), size)[:size]
			data, taken, err := readBody(iotest.DataErrReader(bytes.NewReader(sent)), claimed, 300_000, b)
			if err != nil || !bytes.Equal(data, sent) || taken < int64(len(data)) {
				t.Errorf("%d bytes, claimed %d: got %d, took %d, %v", size, claimed, len(data), taken, err)
			}
			b.give(taken)
		}
	}
	fault := errors.New("fault")
	_, taken, err := readBody(io.MultiReader(strings.NewReader("half"), iotest.ErrReader(fault)), 1<<40, 1<<41, b)
	if err != fault || taken > firstRead {
		t.Errorf("a claim of a terabyte took %d bytes, %v", taken, err)
	}
	b.give(taken)
	if used := b.used.Load(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}
