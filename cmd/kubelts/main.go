// Command kubelts keeps Kubernetes release lines alive past their end of life, and tells those who run clusters what will break
// or be exploited, and when. See the README for a tour, and "kubelts help" for the commands.
package main

import (
	"os"
	"time"

	"github.com/kubelts/kubelts/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Process{
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Getenv: os.Getenv,
		Clock:  time.Now,
	}))
}
