package data

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

const killDir = "LXMERT_TEST_KILLED_WRITER"

// TestKilledWriter is no test, but the writer that TestStoreKilled kills.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv(killDir)
	if dir == "" {
		t.Skip("the other half of TestStoreKilled")
	}
	w := writeStore(t, dir, StoreOptions{ShardBytes: 100 << 10})
	fmt.Println("it writes")
	for i := w.Len(); ; i++ {
		add(t, w, fmt.Sprint(i), regions(2, i%50))
	}
}

// A writer that is killed at any moment loses no image that was added before, and leaves a store that the next
// one goes on with.
func TestStoreKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills twenty programs")
	}
	dir := filepath.Join(t.TempDir(), "store")
	r := rand.New(rand.NewPCG(20, 19))
	before, grown := 0, 0
	for kill := range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), killDir+"="+dir)
		said, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if kill%5 != 4 { // else it is killed while it begins
			if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(r.IntN(150)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		w, err := WriteStore(dir, StoreOptions{})
		if err != nil {
			t.Fatal(err)
		}
		found := w.Len()
		for i := range found {
			if !w.Has(fmt.Sprint(i)) {
				t.Fatalf("%d images, but not number %d", found, i)
			}
		}
		w.Abandon()
		if found < before {
			t.Fatalf("%d images, %d before", found, before)
		}
		if found > before {
			grown++
		}
		before = found
	}
	w := writeStore(t, dir, StoreOptions{})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d images in the end, more after %d of 20 kills", before, grown)
	if grown < 10 {
		t.Errorf("only %d of 20 writers got to write", grown)
	}
	sound(t, dir, before)
	s := openStore(t, dir)
	for i := 0; i < before; i += 101 {
		if got, err := s.Get(fmt.Sprint(i)); err != nil || !reflect.DeepEqual(got.Boxes, regions(2, i%50).Boxes) || got.Objects[0].ID != i%50 {
			t.Errorf("%d: %+v, %v", i, got, err)
		}
	}
}
