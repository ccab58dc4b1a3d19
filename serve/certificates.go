package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// certificates is a certificate in files that are replaced from time to time.
type certificates struct {
	cert, key string

	mu      sync.Mutex
	current *tls.Certificate
	changed time.Time // of the newer file
	looked  time.Time
}

// lookEvery is how often the files' dates are looked at, at most.
const lookEvery = 10 * time.Second

// readCertificates reads both files; nil if there are none.
func readCertificates(cert, key string) (*certificates, error) {
	if cert == "" && key == "" {
		return nil, nil
	}
	if cert == "" || key == "" {
		return nil, errors.New("TLS wants a certificate and its key: found one of two files")
	}
	c := &certificates{cert: cert, key: key}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

// read reads the files; mu is held, or nobody else has c.
func (c *certificates) read() error {
	changed := c.date()
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("%s, %s: %w", c.cert, c.key, err)
	}
	c.current, c.changed, c.looked = &pair, changed, time.Now()
	return nil
}

// date is when the newer of the files was written.
func (c *certificates) date() time.Time {
	var newer time.Time
	for _, path := range []string{c.cert, c.key} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(newer) {
			newer = info.ModTime()
		}
	}
	return newer
}

// get is for tls.Config. Files that cannot be read leave the certificate that there is.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) > lookEvery {
		c.looked = time.Now()
		if c.date() != c.changed {
			c.read()
		}
	}
	return c.current, nil
}
