package clustertest

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strconv"
)

// auditPolicy writes down who asked what, once, when the answer is complete.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
- level: Metadata
`

// Request is what the audit log says about one request.
type Request struct {
	Verb       string `json:"verb"`
	RequestURI string `json:"requestURI"`
	UserAgent  string `json:"userAgent"`
	User       struct {
		Username string `json:"username"`
	} `json:"user"`
	// ObjectRef is empty for a request that is about no object, such as /version.
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
		APIGroup    string `json:"apiGroup"`
		APIVersion  string `json:"apiVersion"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Annotations map[string]string `json:"annotations"` // "k8s.io/deprecated": "true" and the like
}

// Audit returns what u has asked of all API servers so far, in each server's order. It needs [Options.Audit].
func (c *Cluster) Audit(u User) []Request {
	c.tb.Helper()
	if !c.options.Audit {
		c.tb.Fatal("this cluster writes no audit log")
	}
	var out []Request
	for i := range c.instances {
		f, err := os.Open(c.auditLog(i))
		if errors.Is(err, fs.ErrNotExist) {
			continue // nobody has asked this one yet
		}
		if err != nil {
			c.tb.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var r Request
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				c.tb.Fatalf("audit log: %v: %s", err, lines.Text())
			}
			if r.User.Username == u.Name {
				out = append(out, r)
			}
		}
		if err := lines.Err(); err != nil {
			c.tb.Fatal(err)
		}
	}
	return out
}

func (c *Cluster) auditLog(i int) string { return c.path("audit-" + strconv.Itoa(i) + ".log") }
