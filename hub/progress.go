package hub

import "sync"

// Progress is how far a download is.
type Progress struct {
	File     string // the one that has just grown
	Done, Of int64  // its bytes
	// AllDone and All are the bytes of all files that are downloaded so far or have been looked up; those that were in the cache do not count.
	AllDone, All int64
}

// A meter adds up what several files have received.
type meter struct {
	tell func(Progress)

	mu       sync.Mutex
	done     map[string]int64
	all, sum int64
	bytes    int64 // that came over the network
}

func newMeter(tell func(Progress)) *meter {
	return &meter{tell: tell, done: map[string]int64{}}
}

// expect announces a file.
func (m *meter) expect(f *remoteFile) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all += f.size
}

// at says how much of a file is there, of which some bytes have just been received. It may be less than before, if a server begins again.
func (m *meter) at(f *remoteFile, done int64, received int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum += done - m.done[f.name]
	m.done[f.name] = done
	m.bytes += int64(received)
	if m.tell != nil {
		m.tell(Progress{File: f.name, Done: done, Of: f.size, AllDone: m.sum, All: m.all})
	}
}

func (m *meter) received() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}
