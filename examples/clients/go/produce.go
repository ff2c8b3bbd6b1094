package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
)

func send(method, body string, extra map[string]string) {
	request, err := http.NewRequest(method, os.Getenv("STREAM"), strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	request.Header.Set("Content-Type", "application/json")
	for name, value := range extra {
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err) // safe to send again: the producer's numbers make it count once
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		log.Fatal(answer.Status)
	}
}

func main() {
	send("PUT", "", nil)
	for n := 1; n <= 3; n++ {
		producer := map[string]string{
			"Producer-Id": "notes-1", "Producer-Epoch": "0", "Producer-Seq": fmt.Sprint(n - 1),
		}
		send("POST", fmt.Sprintf(`{"n":%d}`, n), producer)
	}
	send("POST", "", map[string]string{"Stream-Closed": "true"})
}
