// Sends a file, shows how much of it was sent, and lists the files.
const form = document.querySelector("#form")
const progress = document.querySelector("#progress")
const status = document.querySelector("#status")
const files = document.querySelector("#files")

const list = async () => {
  const stored = await (await fetch("/v1/files")).json()
  files.replaceChildren(
    ...stored.map(({ id, name, size }) => {
      const link = document.createElement("a")
      link.href = `/v1/files/${id}`
      link.textContent = `${name} (${size} bytes)`
      const item = document.createElement("li")
      item.append(link)
      return item
    })
  )
}

form.addEventListener("submit", (event) => {
  event.preventDefault()
  // `fetch` does not tell how much it has sent.
  const request = new XMLHttpRequest()
  request.responseType = "json"
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    progress.value = total === 0 ? 0 : loaded / total
  })
  request.addEventListener("loadend", () => {
    progress.hidden = true
    const { response } = request
    status.textContent =
      request.status === 201
        ? `${response.name} is stored.`
        : (response?.detail ?? "The file was not sent.")
    void list()
  })
  progress.hidden = false
  request.open("POST", "/v1/files")
  request.send(new FormData(form))
})

void list()
