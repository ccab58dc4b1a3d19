package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/service"
)

// soakFor is how long the soak test runs. It is short in CI; docs/operations.md has figures of ten minutes.
var soakFor = flag.Duration("soak", 12*time.Second, "how long the soak test runs")

// soakServer is set in the process that is the server of a soak test.
const soakServer = "LXMERT_TEST_SOAK_SERVER"

func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(soakServer) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := Run(ctx, Config{
		Addr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", DrainTimeout: 20 * time.Second,
		HTTP:    Options{Timeout: 10 * time.Second}, // so that slow clients are cut off in a short test, too
		Service: service.Options{CacheBytes: 1 << 20, MaxPixels: 1 << 20},
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Ready:   func(l Listening) { fmt.Println(l.HTTP, l.Admin) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// soak is a server under load, and what came of it.
type soak struct {
	t           *testing.T
	http, admin string
	process     *exec.Cmd
	client      *http.Client
	pictures    []string // base64
	ending      atomic.Bool

	mu     sync.Mutex
	took   []time.Duration // of paced answers
	codes  map[string]int  // by kind of client and status
	wrong  []string
	memory []float64 // resident bytes, sample by sample
}

// TestSoak has 32 clients at a server, some of which mean no good: nobody may get a status of 5xx but 503 at its end, memory stays, valid questions are answered
// nearly as fast as ever, no request is lost at the end, and nothing is left open.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("the soak test wants its time, and the processor")
	}
	s := &soak{t: t, codes: map[string]int{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: 30 * time.Second}}
	for seed := range uint64(200) { // more than the cache holds
		var b bytes.Buffer
		if err := png.Encode(&b, scenes.New(seed).Draw()); err != nil {
			t.Fatal(err)
		}
		s.pictures = append(s.pictures, base64.StdEncoding.EncodeToString(b.Bytes()))
	}
	s.begin()
	warm, cancel := context.WithTimeout(t.Context(), *soakFor/6)
	defer cancel()
	bad := s.bad(warm)
	most := s.capacity(*soakFor / 6)
	bad.Wait()
	s.client.CloseIdleConnections()
	time.Sleep(time.Second)
	start := s.gauges()
	t.Logf("at most %.0f valid requests a second with %d clients in a closed loop, beside the bad ones; %d goroutines, %d descriptors", most, valid, int(start.goroutines), int(start.descriptors))

	ctx, cancel := context.WithTimeout(t.Context(), *soakFor)
	defer cancel()
	var clients sync.WaitGroup
	for i := range valid {
		clients.Go(func() { s.valid(ctx, i, time.Duration(valid/(0.7*most)*float64(time.Second))) })
	}
	bad = s.bad(ctx)
	for ctx.Err() == nil {
		s.memory = append(s.memory, s.gauges().memory)
		select {
		case <-ctx.Done():
		case <-time.After(max(time.Second, *soakFor/120)):
		}
	}
	clients.Wait()
	bad.Wait()
	s.judge(start)
	s.endUnderLoad()
	for _, fault := range s.wrong {
		t.Error(fault)
	}
}

// valid is how many of the 32 clients mean well.
const valid = 21

// bad are the clients that mean no good, until ctx ends.
func (s *soak) bad(ctx context.Context) *sync.WaitGroup {
	clients := new(sync.WaitGroup)
	for kind, client := range map[string]func(context.Context) error{
		"slow head": s.slowHead, "slow body": s.slowBody, "slow reader": s.slowReader, "huge": s.huge, "bomb": s.bomb, "malformed": s.malformed, "cancelled": s.cancelled,
		"nonsense": s.nonsense, "slow head too": s.slowHead, "slow body too": s.slowBody, "cancelled too": s.cancelled,
	} {
		clients.Go(func() {
			for ctx.Err() == nil {
				if err := client(ctx); err != nil && ctx.Err() == nil {
					s.fail("%s: %v", kind, err)
					return
				}
			}
		})
	}
	return clients
}

// begin starts the server in a process of its own.
func (s *soak) begin() {
	s.process = exec.Command(os.Args[0], "-test.run=^$")
	s.process.Env = append(os.Environ(), soakServer+"=1")
	s.process.Stderr = os.Stderr
	out, err := s.process.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.process.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatal("the server did not begin: ", err)
	}
	fmt.Sscan(line, &s.http, &s.admin)
}

func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.wrong) < 20 {
		s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
	}
}

// count notes a status; those of 5xx are faults, but for 503 at the end.
func (s *soak) count(kind string, code int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[fmt.Sprintf("%s %d", kind, code)]++
	if code >= 500 && !(code == http.StatusServiceUnavailable && s.ending.Load()) && len(s.wrong) < 20 {
		s.wrong = append(s.wrong, fmt.Sprintf("%s: found status %d", kind, code))
	}
}

// ask is one valid request of a mix of all protocols; by chance, but the same for the same client and number.
func (s *soak) ask(ctx context.Context, r *rand.Rand) (kind string, code int, err error) {
	picture := s.pictures[r.IntN(len(s.pictures))]
	question := []string{"what color is the car?", "how many stars are there?", "is there a house?", "where is the big tree?"}[r.IntN(4)]
	path, body := "/v1/answers", map[string]any{"image": picture, "question": question}
	switch p := r.IntN(100); {
	case p < 70:
		kind = "answer"
	case p < 80:
		kind, path, body = "hugging face", "/vqa", map[string]any{"inputs": picture, "image": picture, "question": question, "parameters": map[string]int{"top_k": 2}}
	case p < 85:
		kind, path = "chat", "/v1/chat/completions"
		body = map[string]any{"model": "shipped", "messages": []any{map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "image_url", "image_url": map[string]string{"url": "data:image/png;base64," + picture}}, map[string]string{"type": "text", "text": question}}}}}
	case p < 92:
		kind, path = "infer", "/v2/models/shipped/infer"
		body = map[string]any{"inputs": []any{map[string]any{"name": "image", "shape": []int{1}, "datatype": "BYTES", "data": []string{picture}},
			map[string]any{"name": "question", "shape": []int{1}, "datatype": "BYTES", "data": []string{question}}}}
	case p < 97:
		kind, path, body = "regions", "/v1/regions", map[string]any{"image": picture}
	default:
		kind, path = "explanation", "/v1/explanations"
	}
	text, err := json.Marshal(body)
	if err != nil {
		return kind, 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+path, bytes.NewReader(text))
	if err != nil {
		return kind, 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return kind, 0, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return kind, answer.StatusCode, fmt.Errorf("an answer was cut off: %w", err)
	}
	return kind, answer.StatusCode, nil
}

// capacity is how many valid requests a second the server answers, if clients ask as fast as they can.
func (s *soak) capacity(during time.Duration) float64 {
	ctx, cancel := context.WithTimeout(s.t.Context(), during)
	defer cancel()
	var n atomic.Int64
	var clients sync.WaitGroup
	start := time.Now()
	for i := range valid {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for ctx.Err() == nil {
				if kind, code, err := s.ask(context.WithoutCancel(ctx), r); err != nil || code != http.StatusOK {
					s.fail("%s: found %d, %v", kind, code, err)
					return
				}
				n.Add(1)
			}
		})
	}
	clients.Wait()
	return float64(n.Load()) / time.Since(start).Seconds()
}

// valid asks at times that are set beforehand, every so often on average, whether or not the last answer has come in time.
func (s *soak) valid(ctx context.Context, client int, every time.Duration) {
	r := rand.New(rand.NewPCG(2, uint64(client)))
	due := time.Now().Add(time.Duration(r.Float64() * float64(every)))
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		kind, code, err := s.ask(context.WithoutCancel(ctx), r)
		if err != nil || code != http.StatusOK {
			s.fail("valid %s: found %d, %v", kind, code, err)
		}
		s.count(kind, code)
		if kind == "answer" {
			s.mu.Lock()
			s.took = append(s.took, time.Since(due)) // waiting for this client's last answer counts
			s.mu.Unlock()
		}
		due = due.Add(time.Duration((0.5 + r.Float64()) * float64(every)))
	}
}

// connect is a bare connection that ends with ctx.
func (s *soak) connect(ctx context.Context) (net.Conn, func(), error) {
	c, err := net.Dial("tcp", s.http)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	return c, func() { stop(); c.Close() }, nil
}

// drip writes a text, a few bytes at a time, until it is cut off.
func drip(ctx context.Context, c net.Conn, text string) {
	for i := 0; i < len(text) && ctx.Err() == nil; i += 3 {
		if _, err := io.WriteString(c, text[i:min(i+3, len(text))]); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// status reads an answer's status, 0 if there is none.
func status(c net.Conn) int {
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func (s *soak) slowHead(ctx context.Context) error {
	c, end, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	drip(ctx, c, "POST /v1/answers HTTP/1.1\r\nHost: localhost\r\nX-Slow: "+strings.Repeat("x", 600))
	s.count("slow head", status(c))
	return nil
}

func (s *soak) slowBody(ctx context.Context) error {
	c, end, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	io.WriteString(c, "POST /v1/answers HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
	drip(ctx, c, strings.Repeat(" ", 600))
	s.count("slow body", status(c))
	return nil
}

// slowReader asks for much and reads nothing.
func (s *soak) slowReader(ctx context.Context) error {
	c, end, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	body := `{"image":"` + s.pictures[0] + `","question":"what color is the car?","maps":"all"}`
	for range 20 {
		c.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := fmt.Fprintf(c, "POST /v1/explanations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
			return nil
		}
	}
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
	}
	return nil
}

// huge sends more than is read.
func (s *soak) huge(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+"/v1/answers", io.LimitReader(zeros{}, 200<<20))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	if err != nil { // the server has closed the connection while we were writing
		s.count("huge", 0)
		return nil
	}
	defer answer.Body.Close()
	s.count("huge", answer.StatusCode)
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		return fmt.Errorf("found %d, want 413", answer.StatusCode)
	}
	time.Sleep(2 * time.Second) // 54 MB at a time are half a processor's work otherwise
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// bomb sends a small file of a picture that would be huge.
func (s *soak) bomb(ctx context.Context) error {
	raw, err := base64.StdEncoding.DecodeString(s.pictures[0])
	if err != nil {
		return err
	}
	copy(raw[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // 65,536 × 65,536
	sum := crc32.ChecksumIEEE(raw[12:29])
	copy(raw[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return s.refused(ctx, "bomb", `{"question":"why?","image":"`+base64.StdEncoding.EncodeToString(raw)+`"}`)
}

func (s *soak) malformed(ctx context.Context) error {
	text := []string{"{", `{"image":7}`, `{"image":"AAAA","question":"why?"}`, `{"image":"sha256:xyz","question":"why?"}`, "\x00\xff", `{"question":["` + strings.Repeat("[", 5000) + `"]}`}
	return s.refused(ctx, "malformed", text[rand.IntN(len(text))])
}

// refused wants a status of 4xx.
func (s *soak) refused(ctx context.Context, kind, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.http+"/v1/answers", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	s.count(kind, answer.StatusCode)
	if answer.StatusCode/100 != 4 {
		return fmt.Errorf("found %d, want 4xx", answer.StatusCode)
	}
	time.Sleep(50 * time.Millisecond)
	return nil
}

// cancelled asks and does not wait.
func (s *soak) cancelled(ctx context.Context) error {
	short, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(20))*time.Millisecond)
	defer cancel()
	kind, code, err := s.ask(short, rand.New(rand.NewPCG(3, rand.Uint64())))
	if err == nil {
		s.count("in time "+kind, code)
	}
	time.Sleep(30 * time.Millisecond)
	return nil
}

// nonsense is no HTTP.
func (s *soak) nonsense(ctx context.Context) error {
	c, end, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer end()
	io.WriteString(c, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n")
	s.count("nonsense", status(c))
	time.Sleep(100 * time.Millisecond)
	return nil
}

// gauges are what the server says of itself.
type gauges struct{ goroutines, descriptors, memory float64 }

func (s *soak) gauges() gauges {
	answer, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		s.fail("metrics: %v", err)
		return gauges{}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.fail("metrics: %v", err)
	}
	value := func(name string) float64 {
		found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
		if found == nil {
			s.fail("metrics: no %s", name)
			return 0
		}
		v, _ := strconv.ParseFloat(string(found[1]), 64)
		return v
	}
	return gauges{value("go_goroutines"), value("process_open_fds"), value("process_resident_memory_bytes")}
}

// judge looks at what came of it.
func (s *soak) judge(start gauges) {
	slices.Sort(s.took)
	if len(s.took) == 0 {
		s.fail("no valid question was answered")
		return
	}
	p50, p99 := s.took[len(s.took)/2], s.took[len(s.took)*99/100]
	s.t.Logf("%d answers at 70 %% load: p50 %v, p99 %v (%.1f times), longest %v", len(s.took), p50, p99, float64(p99)/float64(p50), s.took[len(s.took)-1])
	for _, kind := range slices.Sorted(maps.Keys(s.codes)) {
		s.t.Logf("  %-24s %d", kind, s.codes[kind])
	}
	early, late := middle(s.memory[len(s.memory)/4:len(s.memory)/2]), middle(s.memory[len(s.memory)*3/4:])
	s.t.Logf("resident memory: %.0f MB in the second quarter, %.0f MB in the last (%+.1f %%)", early/1e6, late/1e6, 100*(late/early-1))
	if long := *soakFor >= time.Minute; long && late > 1.05*early {
		s.fail("memory grew from %.0f to %.0f MB", early/1e6, late/1e6)
	} else if long && p99 > 3*p50 {
		s.fail("p99 %v, want at most 3 times p50 %v", p99, p50)
	}
	s.client.CloseIdleConnections()
	var end gauges
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if end = s.gauges(); end.goroutines <= start.goroutines && end.descriptors <= start.descriptors {
			break
		}
	}
	s.t.Logf("afterwards: %d goroutines, %d descriptors", int(end.goroutines), int(end.descriptors))
	if end.goroutines > start.goroutines || end.descriptors > start.descriptors {
		s.fail("left: %v goroutines and %v descriptors, there were %v and %v", end.goroutines, end.descriptors, start.goroutines, start.descriptors)
	}
}

// middle is a median.
func middle(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// endUnderLoad sends SIGTERM while clients ask: each of their requests is answered, or refused with 503, or never taken.
func (s *soak) endUnderLoad() {
	var answered, refused atomic.Int64
	var clients sync.WaitGroup
	for i := range 16 {
		clients.Go(func() {
			r := rand.New(rand.NewPCG(4, uint64(i)))
			for {
				kind, code, err := s.ask(context.Background(), r)
				switch {
				case err != nil:
					// A new connection is refused; one that was kept open was closed before it took the request. An answer that has begun must end.
					if errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "cut off") {
						s.fail("at the end: %s: %v", kind, err)
					}
					return
				case code == http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					answered.Add(1)
					if code != http.StatusOK {
						s.fail("at the end: %s: found %d", kind, code)
					}
				}
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	s.ending.Store(true)
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		s.fail("%v", err)
	}
	err := s.process.Wait()
	clients.Wait()
	s.t.Logf("at the end: %d answered, %d refused", answered.Load(), refused.Load())
	if err != nil || answered.Load() == 0 {
		s.fail("at the end: %d answered, the server says %v", answered.Load(), err)
	}
}
